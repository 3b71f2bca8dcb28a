#include "origin/download_segment.hpp"

#include <algorithm>

#include "common/store/file.hpp"
#include "origin/download/box.hpp"

namespace relay::origin {
namespace {

constexpr std::uint64_t moof_bytes_max = 4 << 20;

std::unexpected<Error> broken_segment(const std::filesystem::path& path) {
  return fail(ErrorKind::corrupt, ErrorSource::disk,
              "a stored segment can't be read: " + path.filename().string());
}

}  // namespace

Result<void> add_segment(const std::filesystem::path& path, std::size_t number,
                         download::Track& track) {
  auto fd = store::open_read(path);
  if (!fd) return std::unexpected(fd.error());
  auto size = store::size_of(fd->get());
  if (!size) return std::unexpected(size.error());
  for (std::uint64_t at = 0; at < *size;) {
    auto head = store::read_exactly(fd->get(), at, download::box_head_bytes);
    if (!head) return std::unexpected(head.error());
    download::Fields fields(*head);
    std::uint64_t bytes = fields.u32();
    if (bytes < download::box_head_bytes || bytes > *size - at) return broken_segment(path);
    if (head->substr(4) == "moof") {
      if (bytes > moof_bytes_max) return broken_segment(path);
      auto moof = store::read_exactly(fd->get(), at, bytes);
      if (!moof) return std::unexpected(moof.error());
      auto fragment = download::read_fragment(*moof);
      if (!fragment) return std::unexpected(fragment.error());
      bool is_inside = fragment->data_offset >= bytes && fragment->data_offset <= *size - at &&
                       fragment->bytes() <= *size - at - fragment->data_offset;
      if (!is_inside) return broken_segment(path);
      track.chunks.push_back({number, at, track.inits.size() - 1, std::move(*fragment)});
    }
    at += bytes;
  }
  return {};
}

}  // namespace relay::origin
