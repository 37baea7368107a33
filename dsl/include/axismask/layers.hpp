// Every layer that axismask ships.
#pragma once

#include "axismask/causal.hpp"
#include "axismask/causal_sliding_window.hpp"
