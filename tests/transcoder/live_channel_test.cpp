#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "common/media/playlist.hpp"
#include "tests/transcoder/live_story.hpp"

namespace relay::transcoder::live {
namespace {

/// Presentation times of all pictures or sounds that a player decodes, in seconds.
std::vector<double> decoded_times(const std::string& file) {
  std::istringstream lines(
      output_of("ffprobe -v error -show_entries frame=pts_time -of csv=p=0 " + file + " 2>&1"));
  std::vector<double> times;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) times.push_back(std::stod(line));
  return times;
}

TEST_F(LiveStory, AFeedBecomesPartsOnTheChannelClock) {
  settings.live.rungs_max = 2;
  live.channel.part_target_ms = 500;
  live.channel.group_ms = live.channel.segment_ms = 1000;
  std::int64_t before = wall_ms();
  ChannelRun run(settings, live);
  auto player = run.play(moving(6));
  ASSERT_TRUE(eventually([&] { return run.status().on_air == 0; }, patience));
  EXPECT_EQ(run.status().slots[0].video, "h264 640x360 25/1");
  // Its sound may be known a moment later than its picture.
  ASSERT_TRUE(eventually([&] { return !run.status().slots[0].audio.empty(); }, patience));
  EXPECT_EQ(run.status().slots[0].audio, "aac 48000 1");
  ASSERT_TRUE(eventually([&] { return player->done(); }, patience));
  auto result = run.finish();
  ASSERT_TRUE(result && *result) << (*result).error().message;
  EXPECT_TRUE((*result)->ready);

  media::LiveSetup setup = run.setup();
  EXPECT_EQ(setup.rate_numerator, 25);
  ASSERT_EQ(setup.renditions.size(), 3u);
  EXPECT_EQ(setup.renditions[0].name, "v360");
  EXPECT_EQ(flaw_of(run), "");
  auto parts = run.parts("v360");
  ASSERT_GE(parts.size(), 4u);
  std::int64_t earliest = (before - live.channel.epoch_ms) / live.channel.segment_ms;
  EXPECT_GT(parts.front().segment, earliest) << "the number of the moment";
  EXPECT_EQ(run.parts(setup.renditions[1].name).front().segment, parts.front().segment);
  EXPECT_EQ(run.parts("audio").front().segment, parts.front().segment);

  // What players decode is whole and without a gap.
  for (const media::LiveRendition& rendition : setup.renditions) {
    std::vector<double> times = decoded_times(write_file(run, rendition.name));
    double step = rendition.video ? 0.04 * rendition.frame_step : 1024.0 / 48000;
    ASSERT_GE(times.size(), 50u) << rendition.name;
    for (std::size_t i = 1; i < times.size(); ++i)
      ASSERT_NEAR(times[i] - times[i - 1], step, 0.0001) << rendition.name << " " << i;
  }
  EXPECT_THAT(run.origin().body("/media/index.m3u8"), testing::HasSubstr("v1/v360/index.m3u8"));
}

// Frame 25 of the feed is white and beeps.
TEST_F(LiveStory, PictureAndSoundStayTogether) {
  ChannelRun run(settings, live);
  auto player =
      run.play(flv("-f lavfi -i \"color=black:s=640x360:r=25:d=6,"
                   "drawbox=c=white:t=fill:enable='between(n,75,77)'\" "
                   "-f lavfi -i \"aevalsrc='if(between(t,3,3.12),0.5*sin(6283*t),0)':s=48000:d=6\" "
                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -c:a aac"));
  ASSERT_TRUE(eventually([&] { return player->done(); }, patience));
  run.finish();
  auto parts = run.parts("v360");
  auto sound = run.parts("audio");
  ASSERT_FALSE(parts.empty() || sound.empty());
  std::vector<int> bright = brightness(write_file(run, "v360"));
  auto flash = std::ranges::find_if(bright, [](int level) { return level > 128; });
  ASSERT_NE(flash, bright.end());
  // From each track's own begin on the clock, in seconds.
  double picture_s = static_cast<double>(parts.front().decode_time()) /
                         static_cast<double>(run.setup().renditions[0].timescale) +
                     0.04 * static_cast<double>(flash - bright.begin());
  double sound_s = static_cast<double>(sound.front().decode_time()) / 48000 +
                   middle_of_sound(write_file(run, "audio")) - 0.06;
  EXPECT_NEAR(picture_s, sound_s, 0.040);
}

TEST_F(LiveStory, AnInterruptedFeedIsAGapAndGoesOnAtTheNumberOfTheMoment) {
  ChannelRun run(settings, live);
  auto tags = moving(4);
  auto first = run.play(tags);
  ASSERT_TRUE(eventually([&] { return first->done(); }, patience));
  ASSERT_TRUE(eventually([&] { return run.status().on_air == -1; }, patience));
  std::size_t had = run.count("v360");
  ASSERT_GT(had, 0u);
  // Until a whole segment has passed without it.
  std::int64_t resumed_ms = wall_ms() + 2 * live.channel.segment_ms;
  ASSERT_TRUE(eventually([&] { return wall_ms() > resumed_ms; }, patience));
  auto second = run.play(tags);
  ASSERT_TRUE(eventually([&] { return second->done(); }, patience));
  run.finish();
  EXPECT_EQ(flaw_of(run), "");
  EXPECT_GT(run.count("v360"), had + 5);
  for (const char* name : {"v360", "audio"})
    EXPECT_THAT(half_done(run, name), testing::IsEmpty()) << name << ": its parts were seen";
  EXPECT_GT(segments_missing(run, "v360"), 0);
  EXPECT_EQ(segments_missing(run, "v360"), segments_missing(run, "audio"));
}

TEST_F(LiveStory, WithSlateNothingIsMissing) {
  live.channel.between = media::Between::slate;
  ChannelRun run(settings, live);
  auto tags = moving(3);
  auto first = run.play(tags);
  ASSERT_TRUE(eventually([&] { return first->done(); }, patience));
  ASSERT_TRUE(eventually([&] { return run.status().on_air == -1; }, patience));
  std::size_t had = run.count("v360");
  ASSERT_TRUE(eventually([&] { return run.count("v360") > had + 8; }, patience));
  auto second = run.play(tags);
  ASSERT_TRUE(eventually([&] { return run.status().on_air == 0; }, patience));
  run.finish();
  EXPECT_EQ(flaw_of(run), "");
  for (const char* name : {"v360", "audio"}) EXPECT_EQ(segments_missing(run, name), 0) << name;
}

TEST_F(LiveStory, AnotherTranscoderGoesOnWithTheSetupOfTheFirst) {
  auto tags = moving(4);
  media::LiveSetup setup;
  std::int64_t reached = 0;
  std::string init, multivariant;
  {
    ChannelRun run(settings, live);
    auto player = run.play(tags);
    ASSERT_TRUE(eventually([&] { return run.count("v360") >= 6; }, patience));
    player->stop();
    run.finish();
    setup = run.setup();
    reached = run.parts("v360").back().segment;
    init = run.origin().body("/media/v360/init.mp4");
    multivariant = run.origin().body("/media/index.m3u8");
  }
  // As if it had heard captions too.
  auto captioned = media::read_multivariant_playlist(multivariant);
  ASSERT_TRUE(captioned) << captioned.error().message;
  ASSERT_TRUE(captioned->captions.empty());
  captioned->captions = {{"captions", "CC1", "und", "CC1"}};
  for (media::Variant& each : captioned->variants) each.captions_group = "captions";
  live.setup = setup;
  live.first_segment = reached + 3;
  ChannelRun run(settings, live, 1, media::write(*captioned));
  // Another size and rate than the setup's.
  auto player =
      run.play(flv("-f lavfi -i testsrc2=s=320x240:r=30:d=6 -c:v libx264 -preset "
                   "ultrafast -pix_fmt yuv420p -g 30"));
  ASSERT_TRUE(eventually([&] { return run.count("v360") >= 6; }, patience));
  run.finish();
  EXPECT_EQ(flaw_of(run), "");
  EXPECT_EQ(media::to_json(run.setup()), media::to_json(setup));
  EXPECT_EQ(run.origin().body("/media/v360/init.mp4"), init);
  EXPECT_EQ(run.origin().body("/media/index.m3u8"), media::write(*captioned));
  EXPECT_GE(run.parts("v360").front().segment, reached + 3);
  EXPECT_EQ(run.parts("audio").front().segment, run.parts("v360").front().segment);
}

TEST_F(LiveStory, APublisherIsSeenAtOnceAndNotFromTheNextSegmentOn) {
  constexpr std::int64_t at_hand = 100;
  live.channel.segment_ms = 8000;
  live.channel.epoch_ms = wall_ms() - at_hand * live.channel.segment_ms;
  ChannelRun run(settings, live);
  auto player = run.play(moving(6));
  ASSERT_TRUE(eventually([&] { return player->done(); }, patience));
  run.finish();
  EXPECT_EQ(flaw_of(run), "");
  for (const char* name : {"v360", "audio"})
    EXPECT_EQ(run.parts(name).front().segment, at_hand) << name;
}

TEST_F(LiveStory, WhatAnotherTranscoderLeftHalfDoneIsMadeWhole) {
  auto tags = moving(4);
  {
    ChannelRun run(settings, live);
    auto player = run.play(tags);
    ASSERT_TRUE(eventually([&] { return run.count("v360") >= 2; }, patience));
    player->stop();
    run.finish();
    live.setup = run.setup();
  }
  std::int64_t at_hand = (wall_ms() - live.channel.epoch_ms) / live.channel.segment_ms;
  live.first_segment = at_hand + 1;
  live.begun = {{"v360", at_hand, 1}, {"audio", at_hand, 2}};
  ChannelRun run(settings, live);
  auto player = run.play(tags);
  ASSERT_TRUE(eventually([&] { return run.count("v360") >= 12; }, patience));
  run.finish();
  Grid grid(*live.setup);
  for (const media::LiveBegun& left : live.begun) {
    auto parts = run.parts(left.rendition);
    EXPECT_TRUE(parts.front().independent) << left.rendition;
    std::int64_t expected = grid.first_part(left.segment) + left.part;
    for (const ReceivedPart& part : parts)
      ASSERT_EQ(grid.first_part(part.segment) + part.part, expected++) << left.rendition;
  }
  std::vector<double> times = decoded_times(write_file(run, "v360"));
  ASSERT_GE(times.size(), 50u);
  for (std::size_t i = 1; i < times.size(); ++i)
    ASSERT_NEAR(times[i] - times[i - 1], 0.04, 0.0001) << i;
}

// The pace is that of a clock of the test's own, which may be slower where the machine is.
TEST_F(LiveStory, BothSlotsFailOverAndTheClockGoesOnAtAnotherPace) {
  live.channel.between = media::Between::slate;
  auto small = [&](const char* picture) {
    return flv(std::string("-f lavfi -i ") + picture +
               "=s=160x90:r=25:d=4 -f lavfi -i sine=440:r=48000:d=4 -c:v libx264 -preset ultrafast "
               "-pix_fmt yuv420p -g 12 -c:a aac");
  };
  auto first = small("testsrc2"), second = small("testsrc");
  ChannelRun run(settings, live, 2);
  auto primary = run.play(first);
  auto backup = run.play(second, media::FeedSlot::backup);
  ASSERT_TRUE(eventually(
      [&] {
        media::LiveStatus status = run.status();
        return status.on_air == 0 && status.slots[1].state == media::SlotState::ready;
      },
      patience));
  primary->stop();
  ASSERT_TRUE(eventually([&] { return run.status().on_air == 1; }, patience));
  ASSERT_TRUE(eventually([&] { return backup->done(); }, patience));
  ASSERT_TRUE(eventually([&] { return run.status().on_air == -1; }, patience));
  std::string rendition = run.setup().renditions.front().name;
  std::size_t had = run.count(rendition);
  ASSERT_TRUE(eventually([&] { return run.count(rendition) > had + 4; }, patience));
  auto result = run.finish();
  ASSERT_TRUE(result && *result) << (*result).error().message;
  EXPECT_EQ(flaw_of(run), "");
  for (const media::LiveRendition& each : run.setup().renditions)
    EXPECT_EQ(segments_missing(run, each.name), 0) << each.name;
}

}  // namespace
}  // namespace relay::transcoder::live
