// What a struct of attributes with a `keep` needs to be a layer: AXISMASK_LAYER, the types of attributes, arrays to
// call the layer on, and the composition of layers.
#pragma once

#include "axismask/arrays/named_array.hpp"
#include "axismask/call/call_layer.hpp"
#include "axismask/declaration/composed.hpp"
#include "axismask/declaration/layer_macro.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/check_layer.hpp"
#include "axismask/layer/reflection.hpp"
