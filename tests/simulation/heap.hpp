// The heap of a history: stands before operator new. Only one thread runs at a time, so it has no
// locks; and it lies in huge pages, for most of what a short history costs would be page faults.
//
// What is large, and all that C libraries ask for, stays with malloc: tables of megabytes that are
// hardly touched are cheap there.
#pragma once

namespace relay::simulation {

/// Sets the place aside. Once a process, and before the fork by whoever shares it.
void set_heap_aside();

/// From now on, in this process, operator new gives from it.
void use_heap();

}  // namespace relay::simulation
