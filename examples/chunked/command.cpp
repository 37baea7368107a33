// `axismask apply`, `inspect` and the rest, for every layer that this program links.
#include <axismask/command.hpp>

int main(int argc, char** argv) { return axismask::command_line(argc, argv); }
