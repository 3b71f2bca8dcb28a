#include "transcoder/photo.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vips/vips.h>

#include <cmath>
#include <filesystem>
#include <vector>

#include "tests/transcoder/fake_origin.hpp"

namespace relay::transcoder {
namespace {

const PhotoSettings small{.renditions = {{40}, {80}}};

class Photo : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prepare_photos()); }
};

struct Made {
  media::JobResult result;
  std::vector<Put> puts;
  std::string body(const std::string& target) const {
    for (const Put& put : puts)
      if (put.target == target) return put.body;
    return "";
  }
};

Made made_from_fd(int fd, const PhotoSettings& settings) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  auto result = run_photo(settings, fd, publisher);
  EXPECT_TRUE(result && publisher.finish());
  return {result.value_or(media::JobResult{}), origin.puts()};
}

Made made_from(const std::string& bytes, const PhotoSettings& settings = small) {
  int fd = memfd_create("photo", 0);
  EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  lseek(fd, 0, SEEK_SET);
  Made made = made_from_fd(fd, settings);
  close(fd);
  return made;
}

// Left half red, right half blue; `orientation` is the EXIF tag.
VipsImage* two_halves(int width, int height, int orientation) {
  std::vector<unsigned char> pixels;
  for (int i = 0; i < width * height; ++i) {
    bool left = i % width < width / 2;
    pixels.insert(pixels.end(), {static_cast<unsigned char>(left ? 250 : 5), 5,
                                 static_cast<unsigned char>(left ? 5 : 250)});
  }
  VipsImage* image = vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height, 3,
                                                     VIPS_FORMAT_UCHAR);
  VipsImage* typed = nullptr;
  vips_copy(image, &typed, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
  g_object_unref(image);
  vips_image_set_int(typed, "orientation", orientation);
  return typed;
}

std::string jpeg_of(VipsImage* image) {
  void* bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(vips_jpegsave_buffer(image, &bytes, &size, nullptr), 0) << vips_error_buffer();
  std::string text(static_cast<char*>(bytes), size);
  g_free(bytes);
  g_object_unref(image);
  return text;
}

struct Pixels {
  int width = 0, height = 0, bands = 0;
  std::string fields;
  // The band that is strongest at a place given in tenths.
  char strongest(int x_tenths, int y_tenths) const {
    const unsigned char* p = at(x_tenths, y_tenths);
    return p[0] > p[2] ? 'R' : 'B';
  }
  const unsigned char* at(int x_tenths, int y_tenths) const {
    return &data[static_cast<std::size_t>((y_tenths * height / 10 * width + x_tenths * width / 10) *
                                          bands)];
  }
  std::vector<unsigned char> data;
};

Pixels decoded(const std::string& bytes) {
  VipsImage* image = vips_image_new_from_buffer(bytes.data(), bytes.size(), "", nullptr);
  EXPECT_NE(image, nullptr) << vips_error_buffer();
  if (!image) return {};
  Pixels pixels{vips_image_get_width(image), vips_image_get_height(image),
                vips_image_get_bands(image)};
  std::size_t size = 0;
  auto* data = static_cast<unsigned char*>(vips_image_write_to_memory(image, &size));
  pixels.data.assign(data, data + size);
  g_free(data);
  char** fields = vips_image_get_fields(image);
  for (char** field = fields; *field; ++field) pixels.fields += std::string(*field) + " ";
  g_strfreev(fields);
  g_object_unref(image);
  return pixels;
}

TEST(PhotoWidths, AreNeverLargerThanThePhoto) {
  PhotoSettings settings{.renditions = {{320}, {640}, {1280}}};
  EXPECT_EQ(photo_widths(settings, 4000, 3000), (std::vector<int>{320, 640, 1280}));
  EXPECT_EQ(photo_widths(settings, 1280, 720), (std::vector<int>{320, 640, 1280}));
  EXPECT_EQ(photo_widths(settings, 1000, 700), (std::vector<int>{320, 640, 1000}));
  EXPECT_EQ(photo_widths(settings, 200, 100), (std::vector<int>{200}));
  EXPECT_EQ(photo_widths(settings, 700, 35000), (std::vector<int>{320}));  // 16000 lines
  EXPECT_EQ(photo_widths(settings, 10, 20000), (std::vector<int>{}));
}

TEST_F(Photo, MakesJpegAndWebpOfEveryWidth) {
  Made made = made_from(jpeg_of(two_halves(160, 80, 1)));
  EXPECT_TRUE(made.result.ready) << made.result.reason;
  EXPECT_EQ(made.result.width, 160);
  EXPECT_EQ(made.result.height, 80);
  EXPECT_EQ(made.result.photo_widths, (std::vector<int>{40, 80}));
  struct Row {
    const char* target;
    int width, height;
  } rows[] = {{"/media/w40.jpg", 40, 20},
              {"/media/w40.webp", 40, 20},
              {"/media/w80.jpg", 80, 40},
              {"/media/w80.webp", 80, 40}};
  for (const Row& row : rows) {
    Pixels pixels = decoded(made.body(row.target));
    EXPECT_EQ(pixels.width, row.width) << row.target;
    EXPECT_EQ(pixels.height, row.height) << row.target;
    EXPECT_EQ(pixels.strongest(1, 5), 'R') << row.target;
    EXPECT_EQ(pixels.strongest(9, 5), 'B') << row.target;
  }
  EXPECT_EQ(made.body("/media/w40.jpg").substr(0, 2), "\xff\xd8");
  EXPECT_EQ(made.body("/media/w40.webp").substr(8, 4), "WEBP");
}

TEST_F(Photo, TurnsThePictureUpright) {
  // Orientation 6: to be turned clockwise, so that left comes to the top.
  Made made = made_from(jpeg_of(two_halves(160, 80, 6)));
  EXPECT_EQ(made.result.width, 80);
  EXPECT_EQ(made.result.height, 160);
  Pixels pixels = decoded(made.body("/media/w80.jpg"));
  EXPECT_EQ(pixels.height, 160);
  EXPECT_EQ(pixels.strongest(5, 1), 'R');
  EXPECT_EQ(pixels.strongest(5, 9), 'B');
  EXPECT_EQ(pixels.fields.find("orientation"), std::string::npos);
}

TEST_F(Photo, KeepsTheAuthorAndNothingElse) {
  VipsImage* image = two_halves(160, 80, 1);
  vips_image_set_string(image, "exif-ifd0-Copyright", "A. Runner");
  vips_image_set_string(image, "exif-ifd0-Artist", "B. Lens");
  vips_image_set_string(image, "exif-ifd0-Model", "Camera 7");
  vips_image_set_string(image, "exif-ifd3-GPSLatitude", "48/1 51/1 0/1");
  Made made = made_from(jpeg_of(image));
  for (const char* target : {"/media/w80.jpg", "/media/w80.webp"}) {
    Pixels pixels = decoded(made.body(target));
    EXPECT_NE(made.body(target).find("A. Runner"), std::string::npos) << target;
    EXPECT_NE(made.body(target).find("B. Lens"), std::string::npos) << target;
    EXPECT_EQ(made.body(target).find("Camera 7"), std::string::npos) << target;
    EXPECT_EQ(pixels.fields.find("GPS"), std::string::npos) << pixels.fields;
  }
  Made plain = made_from(jpeg_of(two_halves(160, 80, 1)));
  EXPECT_EQ(plain.body("/media/w80.jpg").find("Exif"), std::string::npos);
}

TEST_F(Photo, TransparentBecomesWhiteInJpegAndStaysInWebp) {
  std::vector<unsigned char> pixels(100 * 50 * 4, 0);  // black, fully transparent
  VipsImage* image =
      vips_image_new_from_memory(pixels.data(), pixels.size(), 100, 50, 4, VIPS_FORMAT_UCHAR);
  image->Type = VIPS_INTERPRETATION_sRGB;
  void* bytes = nullptr;
  std::size_t size = 0;
  ASSERT_EQ(vips_pngsave_buffer(image, &bytes, &size, nullptr), 0);
  Made made = made_from(std::string(static_cast<char*>(bytes), size));
  g_free(bytes);
  g_object_unref(image);
  Pixels jpeg = decoded(made.body("/media/w80.jpg"));
  EXPECT_EQ(jpeg.bands, 3);
  EXPECT_GT(jpeg.at(5, 5)[0], 250);
  Pixels webp = decoded(made.body("/media/w80.webp"));
  ASSERT_EQ(webp.bands, 4);
  EXPECT_EQ(webp.at(5, 5)[3], 0);
}

TEST_F(Photo, SaysWhyItCannotBeUsed) {
  std::string good = jpeg_of(two_halves(400, 300, 1));
  struct Row {
    const char* what;
    std::string bytes;
    const char* reason;
  } rows[] = {
      {"nothing", "", "this is not a photo that can be read"},
      {"text", "no photo at all, but long enough to be looked at by every reader there is",
       "this is not a photo that can be read"},
      {"svg", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'></svg>",
       "this is not a photo that can be read"},
      {"half", good.substr(0, good.size() / 2), "the photo is damaged or incomplete"},
      {"head", good.substr(0, 100), "the photo is damaged or incomplete"},
  };
  for (const Row& row : rows) {
    Made made = made_from(row.bytes);
    EXPECT_FALSE(made.result.ready) << row.what;
    EXPECT_TRUE(made.result.reason.starts_with(row.reason)) << row.what << made.result.reason;
    EXPECT_FALSE(made.result.retry);
    EXPECT_TRUE(made.puts.empty()) << row.what;
  }
}

TEST_F(Photo, RefusesTooManyPixelsFromTheHeaderAlone) {
  PhotoSettings settings = small;
  settings.pixels_max = 159 * 80;
  Made made = made_from(jpeg_of(two_halves(160, 80, 1)), settings);
  EXPECT_FALSE(made.result.ready);
  EXPECT_TRUE(made.result.reason.starts_with("the photo has 160 x 80 pixels"))
      << made.result.reason;
}

// Where the private collection lies beside the checkout.
TEST_F(Photo, EveryOrientationOfRealPhotosLooksTheSame) {
  std::filesystem::path folder = RELAY_SOURCE_DIR "/../shared/media/photo";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no private photos here";
  for (std::string kind : {"landscape", "portrait"}) {
    std::vector<Pixels> all;
    for (int i = 1; i <= 8; ++i) {
      int fd =
          open((folder / ("exif_" + kind + "_" + std::to_string(i) + ".jpg")).c_str(), O_RDONLY);
      ASSERT_GE(fd, 0);
      all.push_back(decoded(made_from_fd(fd, small).body("/media/w80.jpg")));
      close(fd);
    }
    for (const Pixels& one : all) {
      ASSERT_EQ(one.width, all[0].width);
      ASSERT_EQ(one.height, all[0].height);
      double difference = 0;
      for (std::size_t k = 0; k < one.data.size(); ++k)
        difference += std::abs(int{one.data[k]} - int{all[0].data[k]});
      // Numbers are painted on the pictures, so they differ a little.
      EXPECT_LT(difference / static_cast<double>(one.data.size()), 12) << kind;
    }
  }
}

}  // namespace
}  // namespace relay::transcoder
