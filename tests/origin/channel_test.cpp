// A channel without its transcoder: what it takes in, shows, keeps and ends with.
#include "origin/live/channel.hpp"

#include "common/media/date.hpp"
#include "origin/live/channel_document.hpp"
#include "tests/origin/channel_fixture.hpp"

namespace relay::origin::live {
namespace {

TEST_F(ChannelTest, CountsWhatItsTranscoderLeavesOutAndHowLateItIs) {
  channel->take_status({.switches = 2, .shed = {"v1080", "v720"}, .encode_delay_ms = 700});
  channel->take_status({.switches = 3, .shed = {"v1080"}, .encode_delay_ms = 40});
  EXPECT_EQ(metrics.gauge("shed", "").value(), 1);
  EXPECT_EQ(counter("switches").value(), 3u);
  EXPECT_EQ(metrics.histogram("delay", "").count(), 2u);
  EXPECT_DOUBLE_EQ(metrics.histogram("delay", "").sum_s(), 0.74);
}

/// A time of the document, which says milliseconds.
WallTime time_of(const boost::json::value& told) {
  auto us = media::read_date(told.as_string());
  EXPECT_TRUE(us) << told.as_string();
  return WallTime(std::chrono::milliseconds(us.value_or(0) / 1000));
}

TEST_F(ChannelTest, TellsWhyAPublisherWasNotKept) {
  WallTime before = wall_now();
  auto feed = channel->admit("secret", media::FeedSlot::backup, media::FeedFormat::flv);
  ASSERT_TRUE(feed) << feed.error().message;
  (*feed)->refuse("vp9 is not taken");
  EXPECT_FALSE((*feed)->write("x", Unit::other)) << "it is let go";
  channel->tick();
  auto slot = channel->document().at("slots").at("backup").as_object();
  EXPECT_EQ(slot.at("refused"), "vp9 is not taken");
  EXPECT_EQ(slot.at("refused_publishers"), 1);
  EXPECT_GE(time_of(slot.at("refused_at")), before);
  EXPECT_TRUE(channel->document().at("slots").at("primary").at("refused_at").is_null());
  EXPECT_FALSE(slot.at("publishing").as_bool());
}

TEST(ChannelDocument, SaysWhenTheTranscoderFailedButTellsNobodyAnew) {
  Situation now{.record = std::make_shared<const ChannelRecord>(record({})),
                .rules = in_force({}, LiveSettings{})};
  EXPECT_TRUE(document_of(now).at("transcoder").at("error_at").is_null());
  now.trouble = "it was started again";
  now.trouble_at = WallTime(std::chrono::milliseconds(1500));
  EXPECT_EQ(document_of(now).at("transcoder").at("error_at"), "1970-01-01T00:00:01.500Z");
  std::string told = notable_of(now);
  now.trouble_at += std::chrono::seconds(1);
  EXPECT_EQ(notable_of(now), told);
}

TEST_F(ChannelTest, TakesOneSetupAndKeepsIt) {
  EXPECT_EQ(channel->rendition("v360"), nullptr);
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_EQ(keeper.saved.size(), 1u);
  EXPECT_EQ(keeper.saved[0].job.live->setup->renditions.size(), 2u);
  EXPECT_NE(channel->rendition("v360"), nullptr);
  EXPECT_TRUE(run(Channel::take_setup(channel, setup())));
  media::LiveSetup other = setup();
  other.renditions.pop_back();
  auto refused = run(Channel::take_setup(channel, other));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(keeper.saved.size(), 1u);
}

TEST_F(ChannelTest, PartsBecomeASegmentOfTheSameBytes) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(put(now, 0, "aaa"));
  EXPECT_EQ(view()->next, (media::LivePosition{now, 1, 0}));
  ASSERT_TRUE(put(now, 1, "bb", true));
  settle();
  EXPECT_EQ(view()->next, (media::LivePosition{now + 1, 0, 2}));
  EXPECT_EQ(keeper.kept_names, std::vector<std::string>{fmt::format("v360/{}", now)});
  EXPECT_EQ(keeper.digests[0], digest128("aaabb"));
  auto file = store::read_file(keeper.folder.path() / "v360" / fmt::format("{}.m4s", now));
  EXPECT_EQ(*file, "aaabb");
  PartPlace second = find_part(*view(), now, 1);
  EXPECT_EQ(second.offset, 3u);
  EXPECT_EQ(second.part.bytes, 2u);
}

TEST_F(ChannelTest, PartsOutOfOrderAreRefusedAndLateOnesAreNot) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  auto early = put(now, 1, "b");
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().kind, ErrorKind::conflict);
  ASSERT_TRUE(put(now, 0, "a"));
  ASSERT_TRUE(put(now + 2, 0, "c"));  // now is a gap, and so is the one behind it
  EXPECT_TRUE(put(now, 1, "b"));
  EXPECT_EQ(counter("late").value(), 1u);
  EXPECT_TRUE(view()->window.segments[0].gap);
  EXPECT_EQ(view()->next.segment, now + 2);
  EXPECT_FALSE(put(now, 0, "x", false, "v999"));
}

TEST_F(ChannelTest, ASegmentThatCannotBeKeptIsAGapAndTheChannelGoesOn) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  keeper.full = true;
  ASSERT_TRUE(put(now, 0, "a", true));
  ASSERT_TRUE(put(now + 1, 0, "b"));
  EXPECT_TRUE(view()->window.segments[0].gap);
  EXPECT_EQ(view()->next, (media::LivePosition{now + 1, 1, 4}));
}

TEST_F(ChannelTest, AGapIsToldOfWhereNothingComes) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(put(now - 1, 0, "a", true));
  settle();
  ASSERT_TRUE(tests::eventually([&] {
    channel->tick();
    return view()->next.segment > now;
  }));
  EXPECT_TRUE(view()->window.segments.back().gap);
}

TEST_F(ChannelTest, WhatIsLeftOutIsAGapAsSoonAsItsTimeIsOver) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(put(now - 1, 0, "a", true, "audio"));
  settle("audio");
  channel->take_status({.shed = {"v360"}});
  // Before the next one of what came in time a moment ago, although the first may take 2 s.
  ASSERT_TRUE(tests::eventually([&] {
    channel->tick();
    return view()->next.segment > view("audio")->next.segment;
  }));
  EXPECT_TRUE(view()->window.segments.back().gap);
}

TEST_F(ChannelTest, WhoWaitsForAPartGetsItOnceItIsThere) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(put(now, 0, "a"));
  std::optional<Result<LiveDelivery::Playlist>> answer;
  auto query = fmt::format("_HLS_msn={}&_HLS_part=1", now);
  net::spawn(io, store(LiveDelivery::playlist(channel->rendition("v360"), query), answer));
  ASSERT_TRUE(put(now, 1, "b"));
  while (!answer) step();
  ASSERT_TRUE(*answer);
  EXPECT_NE((*answer)->record.text.find(fmt::format("URI=\"{}.1.m4s\"", now)), std::string::npos);
  EXPECT_EQ((*answer)->lifetime, "public, max-age=6, must-revalidate");
  auto refused =
      run(LiveDelivery::playlist(channel->rendition("v360"), fmt::format("_HLS_msn={}", now + 9)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
}

TEST_F(ChannelTest, WhoComesWhileTheFirstSegmentIsMadeWaitsForIt) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(put(now, 0, "a"));
  std::optional<Result<LiveDelivery::Playlist>> answer;
  net::spawn(io, store(LiveDelivery::playlist(channel->rendition("v360"), ""), answer));
  ASSERT_TRUE(put(now, 1, "b"));
  EXPECT_FALSE(answer) << (*answer)->record.text;
  ASSERT_TRUE(put(now, 2, "c", true));
  while (!answer) step();
  ASSERT_TRUE(*answer);
  EXPECT_NE((*answer)->record.text.find(fmt::format("\n{}.m4s\n", now)), std::string::npos);
}

TEST_F(ChannelTest, EndsWithWhatItHasAndTakesNobodyAnyMore) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(put(now, 0, "a"));
  ASSERT_TRUE(put(now, 0, "s", false, "audio"));
  ASSERT_TRUE(run(Channel::end(channel)));
  ASSERT_EQ(keeper.ended_with.size(), 2u);
  EXPECT_NE(keeper.ended_with["v360"].find("#EXTINF:0.250000,"), std::string::npos);
  EXPECT_TRUE(keeper.ended_with["v360"].ends_with("#EXT-X-ENDLIST\n"));
  EXPECT_EQ(keeper.ended_after_ms, 250) << "what the playlist adds up to";
  EXPECT_TRUE(view()->window.ended);
  auto late = channel->admit("secret", media::FeedSlot::primary, media::FeedFormat::flv);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::unavailable);
  EXPECT_FALSE(run(Channel::end(channel)));
}

TEST_F(ChannelTest, ARecordingBeginsAndEndsWithASegmentThatThereIs) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  for (std::int64_t segment : {now + 2, now + 4}) {
    for (const char* rendition : {"v360", "audio"}) {
      keeper.keeps = 0;
      ASSERT_TRUE(put(segment, 0, "a", true, rendition));
      while (keeper.keeps == 0) step();
    }
  }
  ASSERT_TRUE(put(now + 7, 0, "s", true, "audio"));  // sound alone
  ASSERT_TRUE(run(Channel::end(channel)));
  for (const char* rendition : {"v360", "audio"}) {
    const std::string& text = keeper.ended_with[rendition];
    auto named = [&](std::int64_t segment) {
      return text.find(fmt::format("\n{}.m4s\n", segment)) != std::string::npos;
    };
    EXPECT_NE(text.find(fmt::format("#EXT-X-MEDIA-SEQUENCE:{}\n", now + 2)), std::string::npos);
    EXPECT_TRUE(named(now + 2) && named(now + 3) && named(now + 4)) << text;
    EXPECT_FALSE(named(now + 5) || named(now + 7)) << text;
  }
  EXPECT_EQ(view()->window.segments.size(), 3u) << "and so do viewers see it at once";
  EXPECT_EQ(keeper.ended_after_ms, 250 + 1000 + 250);
}

TEST_F(ChannelTest, NothingIsRecordedOfAChannelOnWhichNothingWasMade) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  ASSERT_TRUE(run(Channel::end(channel)));
  EXPECT_TRUE(keeper.ended_with.empty());
  EXPECT_EQ(keeper.ended_after_ms, 0);
}

TEST_F(ChannelTest, AsksForItsKeyAndLetsOnlyOnePublisherOnASlot) {
  auto denied = channel->admit("guess", media::FeedSlot::primary, media::FeedFormat::flv);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().kind, ErrorKind::denied);
  auto first =
      channel->publish(media::FeedSlot::backup, media::FeedFormat::flv, AdmittedBy::tenant_key);
  ASSERT_TRUE(first);
  auto second = channel->admit("secret", media::FeedSlot::backup, media::FeedFormat::flv);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  channel->tick();
  boost::json::object slots = channel->document().at("slots").as_object();
  EXPECT_EQ(slots.at("primary").at("refused").as_string(), "the key was wrong");
  EXPECT_EQ(slots.at("backup").at("refused").as_string(), "somebody publishes there already");
  EXPECT_EQ(slots.at("backup").at("refused_publishers").to_number<int>(), 1);
  first->reset();
  EXPECT_TRUE(channel->admit("secret", media::FeedSlot::backup, media::FeedFormat::flv));
}

TEST_F(ChannelTest, ANewKeyEndsWhoCameByTheOldOneAndNobodyElse) {
  auto by_key = channel->admit("secret", media::FeedSlot::primary, media::FeedFormat::flv);
  auto by_tenant =
      channel->publish(media::FeedSlot::backup, media::FeedFormat::mpegts, AdmittedBy::tenant_key);
  ASSERT_TRUE(by_key && by_tenant);
  EXPECT_TRUE((*by_key)->write("tag", Unit::other));
  std::string fresh = intake::sha256_hex("fresh");
  ASSERT_TRUE(run(Channel::change(channel, {}, fresh)));
  EXPECT_EQ(keeper.saved.back().key_sha256, fresh);
  EXPECT_FALSE((*by_key)->write("tag", Unit::other));
  EXPECT_TRUE((*by_tenant)->write("packets", Unit::other));
  EXPECT_FALSE(channel->admit("secret", media::FeedSlot::primary, media::FeedFormat::flv));
  EXPECT_TRUE(channel->admit("fresh", media::FeedSlot::primary, media::FeedFormat::flv));
}

TEST_F(ChannelTest, RulesOfItsOwnComeIntoForceAtOnceAndConstantsNeverChange) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  for (std::int64_t segment = now; segment < now + 60; ++segment) {
    keeper.keeps = 0;
    ASSERT_TRUE(put(segment, 0, "a", true));
    settle();
  }
  EXPECT_EQ(view()->window.segments.size(), 60u);
  ChannelWishes wishes;
  wishes.rules.dvr = std::chrono::seconds(30);
  wishes.rules.busy_slot = BusySlot::replace;
  ASSERT_TRUE(run(Channel::change(channel, wishes, "")));
  EXPECT_EQ(view()->window.segments.size(), 30u);
  EXPECT_EQ(channel->document().at("settings").at("dvr").as_string(), "30s");
  EXPECT_EQ(keeper.saved.back().rules.dvr, std::chrono::seconds(30));
  EXPECT_TRUE(keeper.saved.back().job.live->setup) << "the rest of the record stays";
  auto first = channel->admit("secret", media::FeedSlot::primary, media::FeedFormat::flv);
  auto second = channel->admit("secret", media::FeedSlot::primary, media::FeedFormat::flv);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE((*first)->write("tag", Unit::other));
  EXPECT_TRUE((*second)->write("tag", Unit::other));

  wishes.part = std::chrono::milliseconds(500);  // as it is
  EXPECT_TRUE(run(Channel::change(channel, wishes, "")));
  wishes.segment = std::chrono::seconds(2);
  auto refused = run(Channel::change(channel, wishes, ""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_TRUE(refused.error().message.contains("'segment' never changes"));
  EXPECT_TRUE(refused.error().message.contains("dvr_size_max and busy_slot may"));
}

TEST_F(ChannelTest, WhatLeftCanBeHadForAsLongAsTheLongestPlaylistThatShowedIt) {
  ASSERT_TRUE(run(Channel::take_setup(channel, setup())));
  for (std::int64_t segment = now; segment < now + 40; ++segment) {
    keeper.keeps = 0;
    ASSERT_TRUE(put(segment, 0, "a", true));
    settle();
  }
  ChannelWishes wishes;
  wishes.rules.dvr = std::chrono::seconds(30);
  ASSERT_TRUE(run(Channel::change(channel, wishes, "")));
  SteadyTime left = steady_now();
  ASSERT_TRUE(run(Channel::end(channel)));
  EXPECT_TRUE(leftovers.take_due(left + std::chrono::seconds(40)).empty());
  auto due = leftovers.take_due(left + std::chrono::seconds(41));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].rendition, "v360");
  EXPECT_EQ(due[0].numbers.size(), 10u);
  EXPECT_EQ(due[0].numbers.front(), now);
  EXPECT_TRUE(leftovers.take_due(left + std::chrono::hours(1)).empty());
}

}  // namespace
}  // namespace relay::origin::live
