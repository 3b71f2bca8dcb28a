#include "transcoder/photo.hpp"

#include <vips/vips.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace relay::transcoder {
namespace {

constexpr int webp_side_max = 16383;  // of WebP; JPEG has room for more

constexpr const char* trusted_readers[] = {"VipsForeignLoadJpeg", "VipsForeignLoadPng",
                                           "VipsForeignLoadWebp", "VipsForeignLoadHeif",
                                           "VipsForeignLoadTiff", "VipsForeignLoadNsgif"};

// Given to the reader itself, for the option of vips_thumbnail_source() does not reach it in 8.14.
constexpr const char* fail_on_truncated = "fail_on=truncated";

// What a press photo says about its rights, as libvips names it.
constexpr std::string_view kept_fields[] = {"exif-ifd0-Artist", "exif-ifd0-Copyright"};

struct Unref {
  template <class Object>
  void operator()(Object* object) const {
    g_object_unref(object);
  }
};
using Image = std::unique_ptr<VipsImage, Unref>;
using Source = std::unique_ptr<VipsSource, Unref>;

media::JobResult unusable(std::string reason) {
  vips_error_clear();
  return {.ready = false, .reason = std::move(reason)};
}

// After a failed reading; libvips and its readers say in words what failed.
media::JobResult unreadable() {
  std::string_view why = vips_error_buffer();
  if (why.find("out of memory") != why.npos || why.find("nsufficient memory") != why.npos)
    return unusable("the photo needs more memory to be converted than the limit allows");
  return unusable("the photo is damaged or incomplete and cannot be read");
}

struct Size {
  int width = 0;
  int height = 0;
};

// Of the upright picture, from the header alone.
Size upright_size(VipsImage* image) {
  Size size{vips_image_get_width(image), vips_image_get_page_height(image)};
  if (vips_image_get_orientation_swap(image)) std::swap(size.width, size.height);
  return size;
}

bool has_trusted_reader(VipsSource* source) {
  const char* found = vips_foreign_find_load_source(source);
  return found && std::ranges::any_of(trusted_readers, [&](const char* reader) {
           return std::string_view(found).starts_with(reader);
         });
}

Image read_header(VipsSource* source) {
  return Image(vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL, nullptr));
}

// Decodes once, as small as the widest rendition permits, into memory: upright, sRGB, 8 bit.
Image decode(VipsSource* source, int width) {
  VipsImage* out = nullptr;
  int status =
      vips_thumbnail_source(source, &out, width, "height", VIPS_MAX_COORD, "size", VIPS_SIZE_DOWN,
                            "export_profile", "srgb", "option_string", fail_on_truncated, nullptr);
  if (status != 0) return nullptr;
  Image scaled(out);
  if (vips_colourspace(scaled.get(), &out, VIPS_INTERPRETATION_sRGB, nullptr) != 0) return nullptr;
  Image coloured(out);
  if (vips_cast_uchar(coloured.get(), &out, nullptr) != 0) return nullptr;
  Image narrow(out);
  return Image(vips_image_copy_memory(narrow.get()));
}

Image resized(VipsImage* image, int width) {
  VipsImage* out = nullptr;
  if (vips_thumbnail_image(image, &out, width, "height", VIPS_MAX_COORD, "size", VIPS_SIZE_DOWN,
                           "no_rotate", TRUE, nullptr) != 0)
    return nullptr;
  Image scaled(out);
  return Image(vips_image_copy_memory(scaled.get()));
}

// True when something worth keeping is left.
bool remove_metadata(VipsImage* image) {
  bool any = false;
  char** fields = vips_image_get_fields(image);
  for (char** field = fields; *field; ++field) {
    bool kept = std::ranges::find(kept_fields, std::string_view(*field)) != std::end(kept_fields);
    any |= kept;
    if (!kept) vips_image_remove(image, *field);
  }
  g_strfreev(fields);
  return any;
}

Image flattened(VipsImage* image) {
  if (!vips_image_hasalpha(image)) {
    g_object_ref(image);
    return Image(image);
  }
  VipsArrayDouble* white = vips_array_double_newv(3, 255.0, 255.0, 255.0);
  VipsImage* out = nullptr;
  int status = vips_flatten(image, &out, "background", white, nullptr);
  vips_area_unref(VIPS_AREA(white));
  return Image(status == 0 ? out : nullptr);
}

// Empty: it cannot be written.
std::string to_jpeg(VipsImage* image, int quality, bool strip) {
  Image opaque = flattened(image);
  void* bytes = nullptr;
  std::size_t size = 0;
  if (!opaque ||
      vips_jpegsave_buffer(opaque.get(), &bytes, &size, "Q", quality, "strip", strip ? TRUE : FALSE,
                           "optimize_coding", TRUE, "interlace", TRUE, nullptr) != 0)
    return {};
  std::string text(static_cast<char*>(bytes), size);
  g_free(bytes);
  return text;
}

std::string to_webp(VipsImage* image, int quality, bool strip) {
  void* bytes = nullptr;
  std::size_t size = 0;
  if (vips_webpsave_buffer(image, &bytes, &size, "Q", quality, "strip", strip ? TRUE : FALSE,
                           nullptr) != 0)
    return {};
  std::string text(static_cast<char*>(bytes), size);
  g_free(bytes);
  return text;
}

Result<bool> publish(const PhotoSettings& settings, VipsImage* image, int width,
                     Publisher& publisher) {
  bool strip = !remove_metadata(image);
  std::pair<const char*, std::string> files[] = {
      {".jpg", to_jpeg(image, static_cast<int>(settings.jpeg_quality), strip)},
      {".webp", to_webp(image, static_cast<int>(settings.webp_quality), strip)}};
  for (auto& [extension, bytes] : files) {
    if (bytes.empty()) return false;
    Digest128 digest = digest128(bytes);
    auto stored = publisher.put({"w" + std::to_string(width) + extension, std::move(bytes), digest,
                                 OnConflict::keep_earlier});
    if (!stored) return std::unexpected(stored.error());
  }
  return true;
}

Result<bool> publish_all(const PhotoSettings& settings, VipsImage* master,
                         const std::vector<int>& widths, Publisher& publisher) {
  double done = 0;
  for (int width : widths) {
    Image image = resized(master, width);
    if (!image) return false;
    auto published = publish(settings, image.get(), width, publisher);
    if (!published || !*published) return published;
    done += 1;
    auto told = publisher.progress({done / static_cast<double>(widths.size()), "encoding"});
    if (!told) return std::unexpected(told.error());
  }
  return true;
}

}  // namespace

Result<void> prepare_photos() {
  // Never a temporary file: the sandbox has none, and the memory limit decides.
  setenv("VIPS_DISC_THRESHOLD", "64g", 1);
  if (VIPS_INIT("torchrelay-transcoder") != 0)
    return fail(ErrorKind::internal, ErrorSource::internal,
                std::string("libvips cannot be used: ") + vips_error_buffer());
  // A hostile file makes thousands of warnings; what counts is in the error.
  g_log_set_handler(
      "VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK),
      [](const char*, GLogLevelFlags, const char*, void*) {}, nullptr);
  vips_cache_set_max(0);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const char* reader : trusted_readers) vips_operation_block_set(reader, FALSE);
  return {};
}

std::vector<int> photo_widths(const PhotoSettings& settings, int width, int height) {
  std::vector<int> widths;
  std::int64_t widest = 0;
  for (const PhotoRendition& rendition : settings.renditions) {
    widest = std::max(widest, rendition.width);
    if (rendition.width <= width) widths.push_back(static_cast<int>(rendition.width));
  }
  if (width < widest) widths.push_back(width);
  std::ranges::sort(widths);
  widths.erase(std::ranges::unique(widths).begin(), widths.end());
  std::erase_if(widths,
                [&](std::int64_t w) { return w * height > std::int64_t{webp_side_max} * width; });
  return widths;
}

Result<media::JobResult> run_photo(const PhotoSettings& settings, int source_fd,
                                   Publisher& publisher) {
  Source source(vips_source_new_from_descriptor(source_fd));
  if (!source) return unreadable();
  if (!has_trusted_reader(source.get()))
    return unusable(
        "this is not a photo that can be read; give JPEG, PNG, WebP, HEIC, AVIF, TIFF "
        "or GIF");
  Image header = read_header(source.get());
  if (!header) return unreadable();
  Size size = upright_size(header.get());
  header.reset();
  if (std::int64_t{size.width} * size.height > settings.pixels_max)
    return unusable("the photo has " + std::to_string(size.width) + " x " +
                    std::to_string(size.height) + " pixels; allowed are " +
                    std::to_string(settings.pixels_max / 1'000'000) + " million");
  std::vector<int> widths = photo_widths(settings, size.width, size.height);
  if (widths.empty()) return unusable("the photo is too tall for its width");
  Image master = decode(source.get(), widths.back());
  if (!master) return unreadable();
  auto published = publish_all(settings, master.get(), widths, publisher);
  if (!published) return std::unexpected(published.error());
  if (!*published) return unusable("the photo cannot be converted");
  return media::JobResult{
      .ready = true, .width = size.width, .height = size.height, .photo_widths = widths};
}

}  // namespace relay::transcoder
