// What the programs of this folder call: a mask applied by a C++ type, and one applied by a spec.
#pragma once

#include <string>

// The first row of three logits of 1, masked: "1 0 0", where 0 stands for masked.
std::string masked_by_type();
std::string masked_by_spec(const char* spec);
