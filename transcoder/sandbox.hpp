// The walls around hostile bytes: after seal() this process can compute, use the descriptors that
// it has, and end; it cannot open a file, reach a network, start a program or look at another
// process. Libraries that load modules or read files of their own must have done so before.
#pragma once

#include "common/base/error.hpp"

namespace relay::transcoder {

/// Closes every descriptor but 1, 2, `source_fd` and `connection_fd`; no core dumps; ends with its
/// parent; own empty network, where the system permits; no new privileges; a list of permitted
/// system calls for all threads. An error of kind internal: the process must not go on.
Result<void> seal(int source_fd, int connection_fd);

}  // namespace relay::transcoder
