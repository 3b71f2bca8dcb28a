#include "edge/cache/shelf.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

namespace relay::edge::cache {
namespace {

constexpr std::size_t txn_bytes_max = 32 << 20;
constexpr std::size_t compared_bytes = 64;
constexpr const char* bodies_table = "bodies";
// The others are the small one's only, where no other can take their names.
constexpr std::string_view shelf_tables[] = {bodies_table, objects_table, older_objects_table};

std::unexpected<Error> corrupt(std::string what) {
  return fail(ErrorKind::corrupt, ErrorSource::disk, std::move(what));
}

/// LMDB tells the base of its map only when it was fixed, so the kernel is asked: the line of the
/// data file that begins at its offset 0, and is not ours.
const char* lmdb_map_of(const std::filesystem::path& file, const char* ours) {
  std::error_code ignored;
  std::string path = std::filesystem::canonical(file, ignored).string();
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    // begin-end rights offset device inode path
    if (!line.ends_with(" " + path)) continue;
    auto rights = line.find(' ');
    auto offset = line.find(' ', rights + 1);
    if (rights == line.npos || line.find(" 00000000 ", offset) != offset) continue;
    std::uintptr_t base = 0;
    std::from_chars(line.data(), line.data() + line.find('-'), base, 16);
    auto found = reinterpret_cast<const char*>(base);
    if (found != ours) return found;
  }
  return nullptr;
}

store::EnvOptions options_of(std::uint64_t map_bytes) {
  store::EnvOptions options;
  options.map_size_bytes = map_bytes;
  options.flags = MDB_NORDAHEAD | MDB_NOSYNC;
  options.check_pages = true;
  options.unread_table = bodies_table;
  options.tables = shelf_tables;
  return options;
}

Result<void> check_fits(int fd, const store::Env& env, std::uint64_t map_bytes) {
  MDB_stat stat{};
  mdb_env_stat(env.raw(), &stat);
  if (stat.ms_psize != page_bytes) return corrupt("the cache was made with another page size");
  auto bytes = store::size_of(fd);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes > map_bytes) return corrupt("the cache was made for a larger size");
  return {};
}

}  // namespace

Result<Shelf> Shelf::open(const std::filesystem::path& folder, std::uint64_t map_bytes) {
  map_bytes = (map_bytes + page_bytes - 1) / page_bytes * page_bytes;
  auto env = store::Env::open(folder, options_of(map_bytes));
  if (!env) return std::unexpected(env.error());
  auto file = store::FileMap::open(data_path(folder), map_bytes);
  if (!file) return std::unexpected(file.error());
  Shelf shelf(folder, map_bytes, std::move(*env), std::move(*file));
  auto looked = shelf.look_in();
  if (!looked) return std::unexpected(looked.error());
  return shelf;
}

Result<void> Shelf::reopen() {
  auto opened = env_.reopen(folder_, options_of(map_bytes_));
  if (opened) opened = look_in();
  // Else it would be taken for usable, with tables and a map of before.
  if (!opened) close();
  return opened;
}

Result<void> Shelf::look_in() {
  auto older = env_.has_table(older_objects_table);
  if (!older) return std::unexpected(older.error());
  if (*older) return corrupt("it is of an older format, which kept its headers by their hashes");
  auto bodies = env_.table(bodies_table);
  if (!bodies) return std::unexpected(bodies.error());
  bodies_ = *bodies;
  auto fits = check_fits(fd(), env_, map_bytes_);
  if (!fits) return fits;
  lmdb_map_ = lmdb_map_of(data_path(folder_), file_.base());
  if (!lmdb_map_) {
    return fail(ErrorKind::internal, ErrorSource::disk,
                "cannot find " + data_path(folder_).string() + " in /proc/self/maps");
  }
  auto same = agrees(0);
  if (!same) return std::unexpected(same.error());
  if (!*same) return corrupt("the map of " + folder_.string() + " is not its file");
  return check_first_value();
}

/// Whether file and map hold the same bytes there. What cannot be read is not damaged.
Result<bool> Shelf::agrees(std::uint64_t offset) const {
  auto bytes = store::read_exactly(fd(), offset, compared_bytes);
  if (!bytes) return fail_for("cannot open the cache in " + folder_.string(), bytes.error());
  return std::string_view(lmdb_map_ + offset, compared_bytes) == *bytes;
}

std::uint64_t Shelf::disk_bytes() const {
  struct stat status{};
  return ::fstat(fd(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
}

void Shelf::give_back(std::uint64_t file_offset, std::size_t value_bytes) const {
  // A file system that knows no holes keeps the space: LMDB will use it again.
  ::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              static_cast<off_t>(file_offset - page_header_bytes),
              static_cast<off_t>(value_bytes + page_header_bytes));
}

Result<void> Shelf::check_first_value() const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(txn.error());
  auto cursor = store::Cursor::open(*txn, bodies_);
  if (!cursor) return std::unexpected(cursor.error());
  auto found = cursor->seek({});
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  auto offset = offset_of(cursor->value());
  if (!offset) return std::unexpected(offset.error());
  auto same = agrees(*offset);
  if (!same) return std::unexpected(same.error());
  return *same ? Result<void>{} : corrupt("the map of the cache is not its file");
}

Result<std::uint64_t> Shelf::offset_of(std::string_view value) const {
  auto offset = static_cast<std::uint64_t>(value.data() - lmdb_map_);
  if (value.data() < lmdb_map_ || offset % page_bytes != page_header_bytes) {
    return corrupt("a body value does not begin a run of pages");
  }
  return offset;
}

Result<std::vector<std::uint64_t>> Shelf::locate(std::uint64_t id, std::uint64_t body_bytes) const {
  auto bytes = file_bytes();
  if (!bytes) return std::unexpected(bytes.error());
  auto txn = env_.read();
  if (!txn) return std::unexpected(txn.error());
  std::vector<std::uint64_t> offsets(chunk_count(body_bytes));
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    auto value = txn->get(bodies_, view(chunk_key(id, static_cast<std::uint32_t>(i))));
    if (!value) return std::unexpected(value.error());
    if (!*value || (*value)->size() != value_size(body_bytes, i)) {
      return corrupt("a chunk of a body is missing");
    }
    auto offset = offset_of(**value);
    if (!offset) return std::unexpected(offset.error());
    if (*offset + (*value)->size() > *bytes) return corrupt("a chunk of a body is cut off");
    offsets[i] = *offset;
  }
  return offsets;
}

Result<store::WriteTxn*> Pen::txn(std::size_t bytes) {
  if (open_ && bytes_ + bytes > txn_bytes_max) {
    auto committed = finish();
    if (!committed) return std::unexpected(committed.error());
  }
  if (!open_) {
    auto begun = shelf_.env().write();
    if (!begun) return std::unexpected(begun.error());
    open_ = std::make_unique<store::WriteTxn>(std::move(*begun));
  }
  bytes_ += bytes;
  return open_.get();
}

Result<void> Pen::finish() {
  if (!open_) return {};
  auto txn = std::move(open_);
  bytes_ = 0;
  auto committed = txn->commit();
  if (committed) ++commits_;
  return committed;
}

}  // namespace relay::edge::cache
