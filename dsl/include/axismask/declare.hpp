// A config header: layers, and AXISMASK_LAYERS, which says at its end which of them get kernels.
#pragma once

#include "axismask/declaration/layer_list.hpp"
#include "axismask/layer.hpp"
