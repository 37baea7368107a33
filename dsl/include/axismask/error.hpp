// What this library throws.
#pragma once

#include "axismask/messages/error.hpp"
