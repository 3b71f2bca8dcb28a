// System calls past the functions of libc, which the simulation puts its own in front of.
#pragma once

#include <sys/syscall.h>

#include <cerrno>

namespace relay::simulation {

/// The kernel's own answer: negative errno in case of an error.
inline long raw_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                     long f = 0) {
  long result;
  register long fourth asm("r10") = d;
  register long fifth asm("r8") = e;
  register long sixth asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
               : "rcx", "r11", "memory");
  return result;
}

/// As libc answers: -1 and errno.
inline long libc_result(long result) {
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

template <class T>
long word(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace relay::simulation
