// The `axismask` command, for the layers that axismask ships.
#include "axismask/command.hpp"

int main(int argc, char** argv) { return axismask::command_line(argc, argv); }
