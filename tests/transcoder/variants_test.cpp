#include "transcoder/variants.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

MeasuredTrack rendition(std::string name, bool video, std::int64_t kbit_s, bool complete = true,
                        std::int64_t bit_rate_max = 0) {
  TrackSpec track{.name = std::move(name),
                  .codec = video ? Codec::h264 : Codec::aac,
                  .bit_rate_max = bit_rate_max,
                  .width = 1280,
                  .height = 720,
                  .frame_rate = {25, 1},
                  .channels = 2,
                  .language = "und"};
  MeasuredTrack made{track, video ? "avc1.64001f" : "mp4a.40.2", media::BitRate(6),
                     media::BitRate(6), complete};
  made.rate.add(static_cast<std::uint64_t>(kbit_s) * 125 * 6, 6);
  return made;
}

std::vector<std::string> uris(const media::MultivariantPlaylist& playlist) {
  std::vector<std::string> uris;
  for (const media::Variant& variant : playlist.variants) uris.push_back(variant.uri);
  return uris;
}

TEST(Variants, StateVideoAndAudioTogether) {
  auto playlist =
      variants_of({rendition("v720", true, 3000), rendition("audio", false, 128)}, {}, "v1/");
  ASSERT_EQ(playlist.variants.size(), 1u);
  const media::Variant& variant = playlist.variants[0];
  EXPECT_EQ(variant.uri, "v1/v720/index.m3u8");
  EXPECT_EQ(variant.bandwidth, 3'128'000);
  EXPECT_EQ(variant.average_bandwidth, 3'128'000);
  EXPECT_EQ(variant.codecs, "avc1.64001f,mp4a.40.2");
  EXPECT_EQ(variant.width, 1280);
  EXPECT_EQ(variant.height, 720);
  EXPECT_EQ(variant.frame_rate, 25);
  EXPECT_EQ(variant.audio_group, "audio");
  ASSERT_EQ(playlist.audios.size(), 1u);
  EXPECT_EQ(playlist.audios[0].uri, "v1/audio/index.m3u8");
  EXPECT_TRUE(playlist.audios[0].is_default);
}

TEST(Variants, TheSoundAloneStandsBesideThePictures) {
  auto playlist = variants_of({rendition("v720", true, 3000), rendition("audio", false, 128),
                               rendition("audio2", false, 160)},
                              {}, "v1/");
  ASSERT_TRUE(playlist.sound_only);
  EXPECT_EQ(playlist.sound_only->uri, playlist.audios[0].uri);
  EXPECT_EQ(playlist.sound_only->bandwidth, 160'000) << "whichever of the group is chosen";
  EXPECT_EQ(playlist.sound_only->codecs, "mp4a.40.2");
  EXPECT_EQ(playlist.sound_only->width, 0);
  EXPECT_EQ(playlist.sound_only->audio_group, "audio");
  EXPECT_EQ(playlist.variants.size(), 1u);
  EXPECT_FALSE(variants_of({rendition("v720", true, 3000)}, {}, "").sound_only);
}

TEST(Variants, PicturesWithKnownKeysHaveAnIFramePlaylist) {
  auto large = rendition("v720", true, 3000), small = rendition("v234", true, 145);
  for (int i = 0; i < 3; ++i) large.key_rate.add(25'000, 2);
  small.key_rate.add(2'500, 2);
  auto playlist = variants_of(
      {large, small, rendition("v540", true, 900), rendition("audio", false, 128)}, {}, "v1/");
  ASSERT_EQ(playlist.i_frames.size(), 2u);
  EXPECT_EQ(playlist.i_frames[0].uri, "v1/v234/iframes.m3u8");
  EXPECT_EQ(playlist.i_frames[0].codecs, "avc1.64001f");
  EXPECT_EQ(playlist.i_frames[1].bandwidth, 100'000);
  EXPECT_EQ(playlist.i_frames[1].average_bandwidth, 100'000);
  EXPECT_EQ(playlist.i_frames[1].height, 720);
  large.complete = false;
  large.track.bit_rate_max = 4'000'000;
  EXPECT_EQ(stated_key_peak(large), 4'000'000);
}

TEST(Variants, NearestToTwoMegabitsStandsFirst) {
  auto playlist = variants_of({rendition("v1080", true, 6000), rendition("v234", true, 145),
                               rendition("v540", true, 2100), rendition("v720", true, 3000)},
                              {}, "");
  EXPECT_EQ(uris(playlist), (std::vector<std::string>{"v540/index.m3u8", "v234/index.m3u8",
                                                      "v720/index.m3u8", "v1080/index.m3u8"}));
  EXPECT_EQ(playlist.variants[0].audio_group, "");
}

TEST(Variants, SoundAloneIsAVariant) {
  auto playlist = variants_of({rendition("audio", false, 128)}, {}, "");
  ASSERT_EQ(playlist.variants.size(), 1u);
  EXPECT_TRUE(playlist.audios.empty());
  EXPECT_FALSE(playlist.sound_only) << "it is the only variant";
  EXPECT_EQ(playlist.variants[0].codecs, "mp4a.40.2");
  EXPECT_EQ(playlist.variants[0].width, 0);
  EXPECT_EQ(playlist.variants[0].frame_rate, 0);
}

TEST(Variants, WhileGrowingThePeakIsAnUpperBound) {
  EXPECT_EQ(stated_peak(rendition("v", true, 1000, false, 4'000'000)), 4'000'000);
  EXPECT_EQ(stated_peak(rendition("v", true, 5000, false, 4'000'000)), 5'000'000);
  EXPECT_EQ(stated_peak(rendition("v", true, 1000, true, 4'000'000)), 1'000'000);
  EXPECT_EQ(stated_peak(rendition("source", true, 1000, false)), 1'500'000);
}

TEST(Variants, CaptionsAreStatedForThePicturesThatSpeakThem) {
  std::vector<MeasuredTrack> renditions = {rendition("v720", true, 3000),
                                           rendition("audio", false, 128)};
  auto silent = variants_of(renditions, {}, "");
  EXPECT_TRUE(silent.captions.empty());
  EXPECT_EQ(silent.variants[0].captions_group, "");
  auto spoken = variants_of(renditions, CaptionChannels("0101"), "");
  ASSERT_EQ(spoken.captions.size(), 2u);
  EXPECT_EQ(spoken.captions[0].instream_id, "CC1");
  EXPECT_EQ(spoken.captions[1].instream_id, "CC3");
  EXPECT_EQ(spoken.variants[0].captions_group, spoken.captions[0].group_id);
  EXPECT_EQ(stated_captions(media::write(spoken)), CaptionChannels("0101"));
  EXPECT_EQ(stated_captions(media::write(silent)), CaptionChannels());
  EXPECT_EQ(stated_captions(""), CaptionChannels());
}

TEST(Variants, AudioNamesAreUniqueInTheirGroup) {
  auto playlist = variants_of({rendition("v720", true, 3000), rendition("audio", false, 128),
                               rendition("audio2", false, 128)},
                              {}, "");
  ASSERT_EQ(playlist.audios.size(), 2u);
  EXPECT_EQ(playlist.audios[0].name, "Main");
  EXPECT_EQ(playlist.audios[1].name, "audio2");
  EXPECT_FALSE(playlist.audios[1].is_default);
}

}  // namespace
}  // namespace relay::transcoder
