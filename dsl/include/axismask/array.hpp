// Arrays with names for their axes: named_view, named_array and any_view, and the dtypes of their elements.
#pragma once

#include "axismask/arrays/any_view.hpp"
#include "axismask/arrays/axis.hpp"
#include "axismask/arrays/dtype.hpp"
#include "axismask/arrays/named_array.hpp"
#include "axismask/arrays/named_view.hpp"
