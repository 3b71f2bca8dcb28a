// CHECK is for our own bugs only: it prints where and aborts. Hostile input is never a CHECK.
#pragma once

#include <cstdio>
#include <cstdlib>

#define RELAY_CHECK(condition)                                                           \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
