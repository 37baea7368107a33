// What the cases include, read once for each compiler and kept as a precompiled header.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "axismask/array.hpp"
#include "axismask/attention.hpp"
#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"
#include "axismask/mask.hpp"
#include "axismask/structure.hpp"
#include "axismask/views.hpp"
