// Layers as trees of values: the methods that penzai's layers inherit from `Struct` and `Layer`, for every declared
// layer. Fields are named as texts, `select(layer).at<"sliding_window_size">()`, and a name that is wrong is a compile
// error. The same for layers of a spec: layer_structure.hpp of the runtime.
//
// A layer's leaves are its values (masked_value, count, constant, counts_over, variable); the names of side inputs and
// axes are its structure, as in penzai. A layer never changes: each edit gives a new one.
//
//   select                                              one leaf, to read or to replace
//   attributes_dict, from_attributes, key_for_field     all fields by name, and back
//   tree_flatten, tree_flatten_with_keys, tree_unflatten, tree_structure
//   variable, value, bind_variables, stateless_call     leaves whose value comes later
//   treescope_color                                     the colour in which treescope shows the layer
#pragma once

#include "axismask/structure/attributes_dict.hpp"
#include "axismask/structure/bind_variables.hpp"
#include "axismask/structure/selection.hpp"
#include "axismask/structure/trees.hpp"
#include "axismask/structure/treescope_color.hpp"
#include "axismask/structure/variable.hpp"
