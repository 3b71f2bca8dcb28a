// A crash for want of memory, told apart from one over a damaged file.
#pragma once

namespace relay::transcoder {

/// Where this process has a memory limit (RLIMIT_DATA), a crash so near to it that no large picture
/// has room any more ends it with media::exit_out_of_memory: the libraries look at most of what
/// they are given, not at all of it. Any other crash ends the process as before. Once, before
/// threads start.
void name_starvation();

}  // namespace relay::transcoder
