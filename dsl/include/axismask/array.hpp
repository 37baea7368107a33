// Arrays with names for their axes: named_view, named_array and any_view, and the dtypes of their elements.
#pragma once

#include "axismask/arrays/array.hpp"
