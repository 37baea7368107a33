// Masks composed of masks: `a & b` keeps what both keep, `a | b` what one of them keeps, `!a` what `a` masks; and the
// types of compositions: all_of, any_of and not_of.
#pragma once

#include "axismask/declaration/composed.hpp"
