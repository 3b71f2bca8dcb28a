#include "common/store/page_check.hpp"

#include <lmdb.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace relay::store {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(std::size_t) == 8);

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t page_header_bytes = 16;
constexpr std::size_t node_header_bytes = 8;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr std::uint64_t meta_pages = 2;
constexpr int depth_max = 32;  // CURSOR_STACK

enum PageFlag : std::uint16_t { branch = 1, leaf = 2, overflow = 4, meta = 8 };
enum NodeFlag : std::uint16_t { big_data = 1, sub_data = 2 };

template <class Number>
Number number_at(const char* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

std::uint64_t run_pages(std::uint64_t value_bytes) {
  return (page_header_bytes - 1 + value_bytes) / page_bytes + 1;
}

/// MDB_db.
struct Tree {
  static constexpr std::size_t bytes = 48;
  std::uint16_t flags, depth;
  std::uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;

  static Tree at(const char* from) {
    return {number_at<std::uint16_t>(from + 4),  number_at<std::uint16_t>(from + 6),
            number_at<std::uint64_t>(from + 8),  number_at<std::uint64_t>(from + 16),
            number_at<std::uint64_t>(from + 24), number_at<std::uint64_t>(from + 32),
            number_at<std::uint64_t>(from + 40)};
  }
};

/// MDB_meta, behind its page header.
struct Meta {
  static constexpr std::uint32_t magic = 0xBEEFC0DE;
  static constexpr std::uint32_t version = 1;
  Tree free, main;
  std::uint64_t last_page, txn;

  static std::optional<Meta> at(const char* page) {
    const char* from = page + page_header_bytes;
    bool known = (number_at<std::uint16_t>(page + 10) & meta) != 0 &&
                 number_at<std::uint32_t>(from) == magic &&
                 number_at<std::uint32_t>(from + 4) == version &&
                 number_at<std::uint32_t>(from + 24) == page_bytes &&
                 (number_at<std::uint16_t>(from + 28) & MDB_FIXEDMAP) == 0;
    if (!known) return std::nullopt;
    return Meta{Tree::at(from + 24), Tree::at(from + 72), number_at<std::uint64_t>(from + 120),
                number_at<std::uint64_t>(from + 128)};
  }
};

struct Node {
  std::string_view key;
  std::uint64_t child;  // of a branch
  std::uint64_t value_bytes;
  std::uint16_t flags;
  const char* value;  // of a leaf
  std::size_t bytes;  // of the node, rounded up to even
};

enum class Order { bytes, numbers };

int compare(Order order, std::string_view a, std::string_view b) {
  if (order == Order::bytes) return a.compare(b);
  auto x = number_at<std::uint64_t>(a.data()), y = number_at<std::uint64_t>(b.data());
  return x < y ? -1 : x > y;
}

class Checker {
 public:
  Checker(std::string_view file, const KnownTables& tables,
          const std::function<void(std::string_view)>& ahead)
      : file_(file), tables_(tables), ahead_(ahead) {}

  Result<void> run() {
    auto first = Meta::at(file_.data()), second = Meta::at(file_.data() + page_bytes);
    if (!first || !second) return wrong(0, "no meta page");
    // Commits take the two pages in turn; LMDB believes the newer one.
    bool second_newer = first->txn < second->txn;
    const Meta& newest = second_newer ? *second : *first;
    const Meta& older = second_newer ? *first : *second;
    bool in_turn =
        newest.txn == 0 || (newest.txn % 2 == second_newer && older.txn + 1 == newest.txn);
    if (!in_turn) return wrong(second_newer, "the meta pages are not of two commits in turn");
    if (newest.main.flags != 0 || newest.free.flags != MDB_INTEGERKEY) {
      return wrong(second_newer, "trees of another kind");
    }
    newest_commit_ = newest.txn;
    pages_ = newest.last_page + 1;
    if (pages_ < meta_pages || pages_ > file_.size() / page_bytes) {
      return wrong(0, "the file is shorter than its last page");
    }
    used_.assign(pages_, false);
    used_[0] = used_[1] = true;
    auto checked = check_tables(newest.main);
    if (checked) checked = check_free(newest);
    return checked;
  }

 private:
  struct Walk {  // of one tree
    Order order = Order::bytes;
    bool names_tables = false;
    bool is_free_list = false;
    bool reads_runs = true;
    std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0;
    std::optional<std::string_view> last_key;  // the greatest that came so far
    std::string_view least;                    // what comes next may not be below, when not empty
    std::vector<std::pair<std::string_view, Tree>> tables;
    std::vector<std::uint64_t> free_pages;
  };

  static std::unexpected<Error> wrong(std::uint64_t page, std::string_view what) {
    return fail(ErrorKind::corrupt, ErrorSource::disk,
                fmt::format("page {} of the database: {}", page, what));
  }

  const char* page(std::uint64_t number) const { return file_.data() + number * page_bytes; }

  /// Each page once, all of them inside the file.
  bool claim(std::uint64_t first, std::uint64_t count) {
    if (count > pages_ || first < meta_pages || first > pages_ - count) return false;
    for (std::uint64_t each = first; each < first + count; ++each) {
      if (used_[each]) return false;
      used_[each] = true;
    }
    return true;
  }

  Result<void> check_tables(const Tree& main) {
    Walk names{.names_tables = true};
    auto walked = walk_tree(main, names);
    for (const auto& [name, table] : names.tables) {
      if (!walked) break;
      Walk walk{.reads_runs = tables_.unread.empty() || name != tables_.unread};
      walked = walk_tree(table, walk);
    }
    return walked;
  }

  Result<void> check_free(const Meta& meta) {
    Walk walk{.order = Order::numbers, .is_free_list = true};
    auto walked = walk_tree(meta.free, walk);
    if (!walked) return walked;
    for (std::uint64_t each : walk.free_pages) {
      if (!claim(each, 1)) return wrong(each, "free, and in use or free twice");
    }
    return {};
  }

  Result<void> walk_tree(const Tree& tree, Walk& walk) {
    if (tree.root == no_page) {
      bool empty = tree.entries == 0 && tree.depth == 0 && tree.branch_pages == 0 &&
                   tree.leaf_pages == 0 && tree.overflow_pages == 0;
      return empty ? Result<void>{} : wrong(0, "entries without a root");
    }
    if (tree.depth == 0 || tree.depth > depth_max) return wrong(tree.root, "an impossible depth");
    auto walked = walk_page(tree.root, tree.depth, walk);
    if (!walked) return walked;
    bool counted = walk.branch_pages == tree.branch_pages && walk.leaf_pages == tree.leaf_pages &&
                   walk.overflow_pages == tree.overflow_pages && walk.entries == tree.entries;
    if (!counted) return wrong(tree.root, "the tree has other counts than its record says");
    return {};
  }

  Result<void> walk_page(std::uint64_t number, int depth, Walk& walk) {
    if (!claim(number, 1)) return wrong(number, "outside of the file, or in two places");
    const char* at = page(number);
    auto kind = number_at<std::uint16_t>(at + 10);
    if (number_at<std::uint64_t>(at) != number) return wrong(number, "has another number");
    if (kind != (depth > 1 ? branch : leaf)) return wrong(number, "is of another kind");
    auto lower = number_at<std::uint16_t>(at + 12), upper = number_at<std::uint16_t>(at + 14);
    bool bounds = lower >= page_header_bytes && lower % 2 == 0 && upper % 2 == 0 &&
                  lower <= upper && upper <= page_bytes;
    if (!bounds) return wrong(number, "impossible bounds");
    std::size_t count = (lower - page_header_bytes) / 2;
    if (count < (kind == branch && !walk.is_free_list ? 2u : 1u))
      return wrong(number, "too few nodes");
    ++(kind == branch ? walk.branch_pages : walk.leaf_pages);
    return walk_nodes(number, count, upper, depth, walk);
  }

  Result<void> walk_nodes(std::uint64_t number, std::size_t count, std::size_t upper, int depth,
                          Walk& walk) {
    if (depth > 1 && ahead_) announce(page(number), count, upper);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto node = read_node(page(number), i, upper, depth > 1);
      if (!node) return wrong(number, "a node outside of its page");
      bytes += node->bytes;
      auto walked = depth > 1 ? enter(number, *node, i, depth, walk) : take(number, *node, walk);
      if (!walked) return walked;
    }
    if (bytes != page_bytes - upper) return wrong(number, "nodes lie over one another");
    return {};
  }

  void announce(const char* branch_page, std::size_t count, std::size_t upper) const {
    for (std::size_t i = 0; i < count; ++i) {
      auto node = read_node(branch_page, i, upper, true);
      if (node && node->child < pages_) ahead_({page(node->child), page_bytes});
    }
  }

  static std::optional<Node> read_node(const char* page, std::size_t i, std::size_t upper,
                                       bool in_branch) {
    auto offset = number_at<std::uint16_t>(page + page_header_bytes + 2 * i);
    if (offset < upper || offset % 2 != 0 || offset + node_header_bytes > page_bytes) {
      return std::nullopt;
    }
    const char* at = page + offset;
    auto low = number_at<std::uint32_t>(at);
    Node node{};
    node.flags = number_at<std::uint16_t>(at + 4);
    auto key_bytes = number_at<std::uint16_t>(at + 6);
    node.child = low | std::uint64_t{node.flags} << 32;
    node.value_bytes = low;
    std::size_t inside = in_branch ? 0 : node.flags & big_data ? sizeof(std::uint64_t) : low;
    std::size_t bytes = node_header_bytes + key_bytes + inside;
    if (offset + bytes > page_bytes) return std::nullopt;
    node.bytes = (bytes + 1) & ~std::size_t{1};
    node.key = {at + node_header_bytes, key_bytes};
    node.value = at + node_header_bytes + key_bytes;
    return node;
  }

  /// The key of a branch's first node means nothing; any other parts what is left from what is
  /// right of it.
  Result<void> enter(std::uint64_t number, const Node& node, std::size_t i, int depth, Walk& walk) {
    if (i > 0) {
      if (!is_key(node.key, walk)) return wrong(number, "an impossible key");
      if (walk.last_key && compare(walk.order, *walk.last_key, node.key) >= 0) {
        return wrong(number, "keys out of order");
      }
      walk.least = node.key;
    }
    return walk_page(node.child, depth - 1, walk);
  }

  static bool is_key(std::string_view key, const Walk& walk) {
    return walk.order == Order::numbers ? key.size() == 8 : !key.empty() && key.size() <= 511;
  }

  Result<void> take(std::uint64_t number, const Node& node, Walk& walk) {
    if (!is_key(node.key, walk)) return wrong(number, "an impossible key");
    bool ascends = (!walk.last_key || compare(walk.order, *walk.last_key, node.key) < 0) &&
                   (walk.least.empty() || compare(walk.order, walk.least, node.key) <= 0);
    if (!ascends) return wrong(number, "keys out of order");
    walk.last_key = node.key;
    ++walk.entries;
    if (node.flags & ~(big_data | sub_data)) return wrong(number, "an unknown kind of node");
    if (node.flags & sub_data || walk.names_tables) return take_tree(number, node, walk);
    const char* value = node.value;
    if (node.flags & big_data) {
      auto first = number_at<std::uint64_t>(node.value);
      auto count = pages_of_run(first, node.value_bytes, walk.reads_runs);
      if (!count || !claim(first, *count)) {
        return wrong(number, "a value outside of the file or in two places");
      }
      walk.overflow_pages += *count;
      value = page(first) + page_header_bytes;
    }
    if (!walk.is_free_list) return {};
    auto commit = number_at<std::uint64_t>(node.key.data());
    if (commit > newest_commit_) return wrong(number, "freed by a commit to come");
    return take_free(number, value, node.value_bytes, walk);
  }

  /// A value that was put twice in one transaction may have more pages than it needs.
  std::optional<std::uint64_t> pages_of_run(std::uint64_t first, std::uint64_t value_bytes,
                                            bool read) const {
    std::uint64_t needed = run_pages(value_bytes);
    if (!read) return needed;
    if (first < meta_pages || first >= pages_) return std::nullopt;
    const char* at = page(first);
    auto count = number_at<std::uint32_t>(at + 12);
    bool right = number_at<std::uint64_t>(at) == first &&
                 number_at<std::uint16_t>(at + 10) == overflow && count >= needed;
    return right ? std::optional<std::uint64_t>(count) : std::nullopt;
  }

  Result<void> take_tree(std::uint64_t number, const Node& node, Walk& walk) {
    bool named = walk.names_tables && node.flags == sub_data && node.value_bytes == Tree::bytes;
    if (!named) return wrong(number, "a tree where none can be, or none where one must be");
    bool known =
        tables_.all.empty() || std::ranges::find(tables_.all, node.key) != tables_.all.end();
    if (!known) return wrong(number, "a table of an unknown name");
    Tree tree = Tree::at(node.value);
    if (tree.flags != 0) return wrong(number, "a tree of another kind");
    walk.tables.emplace_back(node.key, tree);
    return {};
  }

  /// An MDB_IDL: how many, then the numbers.
  Result<void> take_free(std::uint64_t number, const char* value, std::uint64_t bytes, Walk& walk) {
    constexpr std::size_t each = sizeof(std::uint64_t);
    std::uint64_t count = bytes < each ? 0 : number_at<std::uint64_t>(value);
    if (count > pages_ || (count + 1) * each > bytes) return wrong(number, "a broken free list");
    for (std::uint64_t i = 1; i <= count; ++i) {
      auto free = number_at<std::uint64_t>(value + i * each);
      bool falls = i == 1 || free < number_at<std::uint64_t>(value + (i - 1) * each);
      if (!falls) return wrong(number, "a free list out of order");
      walk.free_pages.push_back(free);
    }
    return {};
  }

  std::string_view file_;
  const KnownTables& tables_;
  const std::function<void(std::string_view)>& ahead_;
  std::uint64_t pages_ = 0, newest_commit_ = 0;
  std::vector<bool> used_;
};

}  // namespace

std::uint64_t page_of_run(const char* value) {
  return number_at<std::uint64_t>(value - page_header_bytes);
}

bool is_whole_run(std::string_view value, std::uint64_t page) {
  const char* header = value.data() - page_header_bytes;
  return page_of_run(value.data()) == page && number_at<std::uint16_t>(header + 10) == overflow &&
         number_at<std::uint32_t>(header + 12) == run_pages(value.size());
}

Result<void> check_pages(std::string_view file, const KnownTables& tables,
                         const std::function<void(std::string_view)>& ahead) {
  if (file.empty()) return {};
  if (file.size() < meta_pages * page_bytes) {
    return fail(ErrorKind::corrupt, ErrorSource::disk, "the database has no meta pages");
  }
  return Checker(file, tables, ahead).run();
}

}  // namespace relay::store
