#include "transcoder/pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transcoder/pipeline_story.hpp"

namespace relay::transcoder {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

class Pipeline : public PipelineStory {};

TEST_F(Pipeline, AllRenditionsShareKeysAndCuts) {
  std::string file = dir / "a.mkv";
  make(
      "-f lavfi -i testsrc2=s=1280x720:r=50:d=4 -f lavfi -i sine=d=4 -c:v mpeg4 -q 5 -bf 2 "
      "-c:a pcm_s16le " +
      file);
  Encoding encoding;
  encoding.ladder = {{160, 90, 100, true}, {320, 180, 200, false}, {480, 270, 400, false}};
  expect_ready(file, encoding);
  EXPECT_THAT(sink.names(), ElementsAre("audio", "v180", "v270", "v90"));
  EXPECT_EQ(sink.tracks["v90"].frame_rate, (Fraction{25, 1}));
  EXPECT_EQ(sink.tracks["v270"].frame_rate, (Fraction{50, 1}));
  for (const char* name : {"v90", "v180", "v270"}) {
    EXPECT_THAT(sink.starts(name), ElementsAre(10, 11, 13)) << name;
    EXPECT_THAT(sink.keys(name), ElementsAre(10, 11, 13)) << name;
    EXPECT_DOUBLE_EQ(sink.seconds(name), 4) << name;
  }
  EXPECT_THAT(sink.starts("audio"), Pointwise(DoubleNear(0.0107), {10.0, 11.0, 13.0}));
  EXPECT_NEAR(sink.seconds("audio"), 4, 0.0107);
  EXPECT_EQ(answer.width, 1280);
  EXPECT_EQ(answer.duration_ms, 4000);
}

TEST_F(Pipeline, CheapestRenditionComesFirstAndSegmentsGoTogether) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i testsrc2=s=640x360:r=25:d=14 -c:v mpeg4 -q 5 " + file);
  Encoding encoding;
  encoding.ladder = {{160, 90, 100, false}, {640, 360, 400, false}};
  expect_ready(file, encoding);
  ASSERT_GE(sink.order.size(), 8u);
  EXPECT_EQ(sink.order[0], "v90 0");
  auto at = [&](const std::string& what) { return std::ranges::find(sink.order, what); };
  EXPECT_LT(at("v360 0"), at("v90 3"));
  EXPECT_LT(at("v360 2"), at("v90 4"));
}

TEST_F(Pipeline, SoundAndPictureStayTogetherInMp4) {
  std::string file = dir / "a.mp4";
  make(flash_and_beep + "-c:v libx264 -bf 3 -g 50 -c:a aac " + file);
  expect_ready(file, no_passthrough());
  expect_in_step("v180");
}

TEST_F(Pipeline, SoundAndPictureStayTogetherInMatroska) {
  std::string file = dir / "a.mkv";
  make(flash_and_beep + "-c:v libx264 -bf 2 -c:a flac " + file);
  expect_ready(file, no_passthrough());
  expect_in_step("v180");
}

TEST_F(Pipeline, SoundAndPictureStayTogetherInTransportStreams) {
  std::string file = dir / "a.ts";
  make(flash_and_beep + "-c:v mpeg2video -q 3 -c:a mp2 -output_ts_offset 95440 " + file);
  expect_ready(file);
  expect_in_step("v180");
}

TEST_F(Pipeline, SoundThatBeginsLateIsPaddedWithSilence) {
  std::string file = dir / "a.mkv";
  make(flash_and_beep + "-af atrim=start=0.7 -c:v mpeg4 -q 3 -c:a pcm_s16le " + file);
  expect_ready(file);
  expect_in_step("v180");
  EXPECT_NEAR(sink.seconds("audio"), 3, 0.0107);
}

TEST_F(Pipeline, AHoleInTheSoundBecomesSilence) {
  std::string file = dir / "a.mkv";
  make(flash_and_beep +
       "-af \"aselect='not(between(t,0.3,0.6))'\" -c:v mpeg4 -q 3 -c:a pcm_s16le " + file);
  expect_ready(file);
  expect_in_step("v180");
}

TEST_F(Pipeline, FittingSourcesArePublishedAsTheyAre) {
  std::string file = dir / "a.mp4";
  make(flash_and_beep + "-c:v libx264 -pix_fmt yuv420p -bf 3 -g 30 -sc_threshold 0 -c:a aac " +
       file);
  Encoding encoding;
  encoding.ladder = {{160, 90, 100, true}, {320, 180, 200, false}};
  expect_ready(file, encoding);
  EXPECT_THAT(sink.names(), ElementsAre("audio", "source", "v90"));
  EXPECT_THAT(sink.keys("source"), Pointwise(DoubleNear(1e-6), {10.0, 11.2, 12.4}));
  EXPECT_EQ(sink.keys("v90"), sink.keys("source"));
  EXPECT_EQ(sink.starts("v90"), sink.starts("source"));
  EXPECT_DOUBLE_EQ(sink.seconds("v90"), sink.seconds("source"));
  EXPECT_LT(std::ranges::find(sink.order, "source 1"), std::ranges::find(sink.order, "v90 0"));
  expect_in_step("source");
  // Bit for bit the source's pictures.
  auto pictures = [](const std::string& path) {
    return output_of("ffmpeg -v error -i " + path + " -map 0:v -vsync passthrough -f md5 -");
  };
  EXPECT_EQ(pictures(write_track(sink, "source", dir)), pictures(file));
}

TEST_F(Pipeline, FittingTransportStreamsToo) {
  std::string file = dir / "a.ts";
  make(flash_and_beep + "-c:v libx264 -pix_fmt yuv420p -bf 2 -g 25 -sc_threshold 0 -c:a aac " +
       file);
  expect_ready(file);
  ASSERT_TRUE(sink.tracks.contains("source"));
  expect_in_step("source");
}

TEST_F(Pipeline, SourcesThatDoNotFitAreEncoded) {
  const char* made[] = {"color=gray:s=64x64:r=25:d=9 -g 250 ",
                        "testsrc2=s=64x64:r=25:d=9 -g 25 -x264-params open-gop=1 -bf 3 ",
                        "testsrc2=s=64x64:r=25:d=3 -g 25 -pix_fmt yuv422p "};
  for (const char* options : made) {
    std::string file = dir / "a.mp4";
    make("-f lavfi -i " + std::string(options) + "-c:v libx264 -sc_threshold 0 " + file);
    sink = {};
    expect_ready(file);
    EXPECT_FALSE(sink.tracks.contains("source")) << options;
  }
}

TEST_F(Pipeline, VariableFrameRateBecomesConstant) {
  std::string file = dir / "a.mkv";
  make(
      "-f lavfi -i \"color=black:s=160x90:r=30:d=3,"
      "drawbox=c=white:t=fill:enable='gte(n,60)',select='not(between(n,20,59))'\" "
      "-vsync vfr -c:v libx264 -bf 2 " +
      file);
  expect_ready(file);
  EXPECT_EQ(sink.tracks["v90"].frame_rate, (Fraction{30, 1}));
  std::vector<int> bright = brightness(write_track(sink, "v90", dir));
  ASSERT_EQ(bright.size(), 90u);
  for (int frame = 0; frame < 90; ++frame)
    EXPECT_EQ(bright[static_cast<std::size_t>(frame)] > 128, frame >= 60) << frame;
}

TEST_F(Pipeline, PicturesAreTurnedUpright) {
  struct Case {
    const char* rotate;
    int width, height;
    std::vector<bool> white;  // quarters: top left, top right, bottom left, bottom right
  };
  const Case cases[] = {{"90", 90, 160, {false, false, true, false}},
                        {"180", 160, 90, {false, false, false, true}},
                        {"270", 90, 160, {false, true, false, false}}};
  std::string plain = dir / "plain.mp4", file = dir / "a.mp4";
  make(
      "-f lavfi -i \"color=black:s=160x90:r=25:d=1,drawbox=c=white:t=fill:w=80:h=45\" "
      "-c:v libx264 -pix_fmt yuv420p " +
      plain);
  for (const Case& c : cases) {
    make("-i " + plain + " -c copy -metadata:s:v:0 rotate=" + c.rotate + " " + file);
    sink = {};
    expect_ready(file);
    EXPECT_EQ(answer.width, c.width) << c.rotate;
    EXPECT_EQ(answer.height, c.height) << c.rotate;
    ASSERT_TRUE(sink.tracks.contains("v90"));
    std::vector<int> quarters = brightness(write_track(sink, "v90", dir), 2, 2);
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_EQ(quarters.at(i) > 128, c.white[i]) << c.rotate << " quarter " << i;
  }
}

TEST_F(Pipeline, OnlyWhatIsReallyInterlacedIsDeinterlaced) {
  std::string file = dir / "a.ts";
  make(
      "-f lavfi -i testsrc2=s=320x240:r=50:d=2 -vf tinterlace=interleave_top,setfield=tff "
      "-c:v mpeg2video -flags +ildct+ilme -q:v 3 " +
      file);
  expect_ready(file);
  EXPECT_EQ(sink.tracks["v240"].frame_rate, (Fraction{50, 1}));
  make(
      "-f lavfi -i testsrc2=s=320x240:r=25:d=2 -vf gblur=sigma=4,setfield=tff "
      "-c:v mpeg2video -flags +ildct+ilme -q:v 3 " +
      file);
  sink = {};
  expect_ready(file);
  EXPECT_EQ(sink.tracks["v240"].frame_rate, (Fraction{25, 1}));
}

TEST_F(Pipeline, PixelsBecomeSquare) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i testsrc2=s=180x144:r=25:d=1 -vf setsar=16/11 -c:v mpeg4 " + file);
  expect_ready(file);
  EXPECT_EQ(answer.width, 262);
  EXPECT_EQ(answer.height, 144);
  EXPECT_EQ(sink.tracks.begin()->second.width, 262);
}

TEST_F(Pipeline, TenBitHdrBecomesEightBitBt709) {
  std::string file = dir / "a.mkv";
  make(
      "-f lavfi -i color=white:s=160x90:r=25:d=1 -pix_fmt yuv420p10le -c:v libx265 "
      "-x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc " +
      file);
  expect_ready(file);
  std::string told = output_of(
      "ffprobe -v error -show_entries stream=pix_fmt,color_transfer,color_primaries"
      " -of csv=p=0 " +
      write_track(sink, "v90", dir));
  EXPECT_EQ(told, "yuv420p,bt709,bt709\n");
}

TEST_F(Pipeline, OddPixelFormatsAreTaken) {
  for (const char* format : {"gray", "yuva420p", "gbrp", "yuv444p10le", "rgb24"}) {
    std::string file = dir / "a.mkv";
    make("-f lavfi -i testsrc2=s=98x54:r=10:d=1 -pix_fmt " + std::string(format) + " -c:v ffv1 " +
         file);
    sink = {};
    if (std::string(format) == "rgb24")
      make("-f lavfi -i testsrc2=s=98x54:r=10:d=1 -pix_fmt rgb24 -c:v png " + file);
    expect_ready(file);
    EXPECT_EQ(sink.segments["v54"].size(), 1u) << format;
  }
}

TEST_F(Pipeline, ASinglePixelIsPublishedInTheLeastSize) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i color=red:s=2x2:r=25:d=1 -vf scale=1:1,format=rgb24 -c:v png " + file);
  expect_ready(file);
  EXPECT_THAT(sink.names(), ElementsAre("v16"));
}

TEST_F(Pipeline, SoundAlone) {
  std::string file = dir / "a.mp3";
  make("-f lavfi -i sine=d=8:r=44100 -c:a libmp3lame " + file);
  expect_ready(file);
  EXPECT_THAT(sink.names(), ElementsAre("audio"));
  EXPECT_NEAR(sink.seconds("audio"), 8, 0.03);
  EXPECT_THAT(sink.starts("audio"), Pointwise(DoubleNear(0.02), {10.0, 11.0, 13.0, 15.0}));
  EXPECT_EQ(answer.width, 0);
  EXPECT_NEAR(static_cast<double>(answer.duration_ms), 8000, 30);
}

TEST_F(Pipeline, ACoverIsNoVideo) {
  std::string file = dir / "a.mp3";
  make(
      "-f lavfi -i sine=d=2 -f lavfi -i color=red:s=64x64:d=0.04 -map 0 -map 1 "
      "-c:v png -disposition:v attached_pic " +
      file);
  expect_ready(file);
  EXPECT_THAT(sink.names(), ElementsAre("audio"));
}

TEST_F(Pipeline, LongerSoundHoldsTheLastPicture) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i color=red:s=64x64:r=25:d=1 -f lavfi -i sine=d=4 -c:v mpeg4 -c:a pcm_s16le " +
       file);
  expect_ready(file);
  EXPECT_NEAR(sink.seconds("v64"), 4, 0.05);
  EXPECT_NEAR(sink.seconds("audio"), sink.seconds("v64"), 0.0107);
}

TEST_F(Pipeline, ShorterSoundIsPaddedALittleLongerIsTrimmed) {
  for (const char* seconds : {"0.5", "3.4"}) {
    std::string file = dir / "a.mkv";
    make("-f lavfi -i color=red:s=64x64:r=25:d=3 -f lavfi -i sine=d=" + std::string(seconds) +
         " -c:v mpeg4 -c:a pcm_s16le " + file);
    sink = {};
    expect_ready(file);
    EXPECT_DOUBLE_EQ(sink.seconds("v64"), 3) << seconds;
    EXPECT_NEAR(sink.seconds("audio"), 3, 0.0107) << seconds;
  }
}

}  // namespace
}  // namespace relay::transcoder
