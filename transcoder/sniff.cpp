#include "transcoder/sniff.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace relay::transcoder {

namespace {

using namespace std::string_view_literals;

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> beginnings = {{
    {"\xFF\xD8\xFF"sv, "a JPEG picture"},
    {"\x89PNG"sv, "a PNG picture"},
    {"GIF8"sv, "a GIF picture"},
    {"BM"sv, "a BMP picture"},
    {"II*\0"sv, "a TIFF picture"},
    {"MM\0*"sv, "a TIFF picture"},
    {"%PDF"sv, "a PDF document"},
    {"PK\x03\x04"sv, "a ZIP archive or office document"},
    {"\x1F\x8B"sv, "a gzip archive"},
    {"\x7F"
     "ELF"sv,
     "a program"},
    {"#EXTM3U"sv, "an HLS playlist; send the media itself"},
    {"ffconcat"sv, "a list of other files; send the media itself"},
    {"v=0"sv, "a session description (SDP); send the media itself"},
    {"<?xml"sv, "an XML document"},
    {"<MPD"sv, "a DASH manifest; send the media itself"},
    {"\0\0\0\1"sv, "a bare video stream without a container; send it as MP4 or MPEG-TS"},
}};

bool is_text(std::string_view head) {
  return std::ranges::all_of(head, [](unsigned char c) {
    return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t';
  });
}

std::uint32_t big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

// Walks the top boxes of an MP4; true when it is one and has no index.
bool lacks_index(int fd, std::int64_t size) {
  bool file_type = false;
  std::int64_t at = 0;
  for (int boxes = 0; boxes < 1000 && at + 8 <= size; ++boxes) {
    unsigned char head[16] = {};
    if (pread(fd, head, sizeof head, at) < 8) break;
    std::string_view type(reinterpret_cast<char*>(head + 4), 4);
    std::int64_t length = big_endian(head);
    if (length == 1)
      length = static_cast<std::int64_t>(std::uint64_t{big_endian(head + 8)} << 32 |
                                         big_endian(head + 12));
    if (type == "ftyp" || type == "styp" || type == "moof") file_type = true;
    if (type == "moov" && length <= size - at) return false;
    if (length < 8 || length > size - at) break;
    at += length;
  }
  return file_type;
}

}  // namespace

std::string name_of_content(std::string_view head) {
  for (auto [beginning, what] : beginnings)
    if (head.starts_with(beginning)) return std::string(what);
  if (head.size() >= 12 && head.starts_with("RIFF") && head.substr(8, 4) == "WEBP")
    return "a WebP picture";
  if (head.size() >= 12 && head.substr(4, 4) == "ftyp") {
    std::string_view brand = head.substr(8, 4);
    if (brand == "heic" || brand == "mif1" || brand == "avif") return "a HEIC or AVIF picture";
  }
  if (!head.empty() && is_text(head)) return "text";
  return "";
}

bool is_scrambled(std::string_view head) {
  constexpr std::size_t packet_bytes = 188;
  constexpr unsigned has_payload = 0x10, no_payload_pid = 0x1FFF;
  int clear = 0, scrambled = 0;
  for (std::size_t at = 0; at + packet_bytes <= head.size(); at += packet_bytes) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head[at + i]); };
    if (byte(0) != 0x47) return false;
    unsigned pid = (byte(1) & 0x1Fu) << 8 | byte(2);
    if (pid == no_payload_pid || (byte(3) & has_payload) == 0) continue;
    (byte(3) >> 6 >= 2 ? scrambled : clear) += 1;
  }
  return scrambled > clear;
}

std::string beginning_of(int fd, std::size_t bytes) {
  std::string head(bytes, '\0');
  ssize_t got = pread(fd, head.data(), head.size(), 0);
  head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return head;
}

std::string why_not_media(int fd, std::int64_t size) {
  std::string what = name_of_content(beginning_of(fd, 512));
  if (!what.empty())
    return fmt::format("this is not a video or audio file that we know: it looks like {}", what);
  if (lacks_index(fd, size)) return "the file is truncated or damaged: its index (moov) is missing";
  return "this is not a video or audio file that we know, or its beginning is damaged";
}

std::string language_tag(std::string_view iso_639) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 32> short_forms = {{
      {"eng", "en"}, {"deu", "de"}, {"ger", "de"}, {"fra", "fr"}, {"fre", "fr"}, {"spa", "es"},
      {"ita", "it"}, {"por", "pt"}, {"nld", "nl"}, {"dut", "nl"}, {"swe", "sv"}, {"nor", "no"},
      {"dan", "da"}, {"fin", "fi"}, {"pol", "pl"}, {"ces", "cs"}, {"cze", "cs"}, {"hun", "hu"},
      {"ron", "ro"}, {"rum", "ro"}, {"ell", "el"}, {"gre", "el"}, {"tur", "tr"}, {"rus", "ru"},
      {"ukr", "uk"}, {"ara", "ar"}, {"heb", "he"}, {"hin", "hi"}, {"jpn", "ja"}, {"kor", "ko"},
      {"zho", "zh"}, {"chi", "zh"},
  }};
  for (auto [longer, shorter] : short_forms)
    if (longer == iso_639) return std::string(shorter);
  bool letters = std::ranges::all_of(iso_639, [](char c) { return c >= 'a' && c <= 'z'; });
  return letters && (iso_639.size() == 2 || iso_639.size() == 3) ? std::string(iso_639) : "und";
}

}  // namespace relay::transcoder
