# The toolchain file for 64-bit ARM Linux on another Debian machine: g++-aarch64-linux-gnu, and qemu-user to run what it
# builds.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

# All libraries but those of the compiler are headers, the same for every processor, in /usr/include, which is on this
# compiler's own path. Boost keeps its package file among the compiled libraries of the machine that builds.
list(APPEND CMAKE_PREFIX_PATH "/usr/lib/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/cmake")
