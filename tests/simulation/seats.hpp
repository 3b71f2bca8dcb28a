// Where simulated threads run: each has a stack and thread-local storage of its own, made by the
// true pthread_create, and all of them take turns on one thread of the kernel. To hand a turn over
// is then a matter of registers; the kernel, which takes some microseconds for it, is not asked.
//
// Seats are made before the process forks for a history, and are still fresh in the child: the
// threads that made them sleep in the parent, and are not there in the child at all.
#pragma once

#include <cstddef>

namespace relay::simulation {

struct Seat {
  void* stack = nullptr;           // where it goes on
  void* thread_pointer = nullptr;  // of its thread-local storage
  void (*run)(void*) = nullptr;    // what it begins with; never returns
  void* argument = nullptr;
};

/// Makes `count` of them. Once a process, and before the fork by whoever shares them.
void make_seats(std::size_t count);

/// One that nobody sat on, which begins with `run(argument)` at its first turn. Aborts when there
/// are none left.
Seat& take_seat(void (*run)(void*), void* argument);

/// That of the thread which calls, the kernel's own.
Seat& first_seat();

/// Goes on at `to`; returns at the next turn of `from`, on which this code runs.
void change_seats(Seat& from, Seat& to);

}  // namespace relay::simulation
