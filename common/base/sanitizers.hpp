// Whether a sanitizer watches this build: its run time reserves terabytes of memory, opens files,
// answers signals itself, and is some ten times as slow.
#pragma once

namespace relay {

#if __has_feature(address_sanitizer)
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif

#if __has_feature(thread_sanitizer)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif

inline constexpr bool sanitized = address_sanitized || thread_sanitized;

}  // namespace relay
