// Whether the pages of an LMDB file hang together, before LMDB believes them: LMDB itself follows
// any page number and any offset that it reads, so a flipped bit in a tree can end the process or
// let it write over what is in use.
//
// Followed from the newest meta page through all trees: every page and every run of overflow pages
// is inside the file, has its own number and kind, and is in one place only, the free list
// included; nodes lie inside their page without gaps; keys ascend; counts and depths are as the
// tree says; the first tree names the others and nothing else; nothing was freed by a commit that
// is still to come. The bytes of values are not looked at: whoever stores values has digests for
// them. Layout: lmdb 0.9 mdb.c, 64-bit, little endian, no duplicates. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::store {

struct KnownTables {
  /// A table with large values: the runs that hold them are not touched, so that opening does not
  /// read them all; ask is_whole_run() before erasing one. Those values must never have been put
  /// twice.
  std::string_view unread = {};
  /// All that there may be; empty: any. One of another name has lost its own, with all its records.
  std::span<const std::string_view> all = {};
};

/// `file`: all bytes of a data.mdb, aligned to 8. Errors: corrupt, with what is wrong and on which
/// page. An empty file is right: it is one that LMDB has not begun. `ahead` is told of pages that
/// will be read soon, one after the other.
Result<void> check_pages(std::string_view file, const KnownTables& tables = {},
                         const std::function<void(std::string_view page)>& ahead = {});

/// The number of the page that an overflow value begins in, by the page header before it. Of one
/// that was just reserved in a write transaction: that LMDB has given it, and will write it to.
std::uint64_t page_of_run(const char* value);

/// Whether the page header before an overflow value says what the value's size needs, and the
/// number of the page that the value begins in. LMDB frees as many pages as that header says, from
/// the one that it names.
bool is_whole_run(std::string_view value, std::uint64_t page);

}  // namespace relay::store
