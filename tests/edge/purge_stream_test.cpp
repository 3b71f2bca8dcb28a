#include "edge/purge_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr WallTime today{std::chrono::hours(24 * 365)};
constexpr WallTime long_ago{};

FleetPurge purge(std::string member, std::uint64_t stamp, std::string text = "/a",
                 WallTime at = today) {
  return {{std::move(member), stamp}, at, {.text = std::move(text)}};
}

/// What two readers who take the messages in turn have in the end.
void take_all(PurgeHistory& reader, const std::vector<PurgeNews>& messages) {
  for (const PurgeNews& each : messages) {
    EXPECT_FALSE(reader.has_gap(each));
    reader.adopt(reader.change_of(each));
  }
}

TEST(PurgeStream, a_place_comes_back_as_it_was_written) {
  StreamPlace place{1'700'000'000'123'456'789, 42, 1'700'000'001'123'456'789};
  EXPECT_EQ(decode_place(encode(place)), place);
  EXPECT_EQ(decode_place(encode(StreamPlace{})), StreamPlace{});
  for (std::string_view wrong :
       {"", "1", "1 2", "1 2 3", "1 2\n", "a 2 3\n", "1 b 3\n", "1 2 3 4\n", "-1 2 3\n"}) {
    EXPECT_EQ(decode_place(wrong), std::nullopt) << wrong;
  }
}

TEST(PurgeStream, a_reader_goes_on_where_it_was_in_the_same_stream_only) {
  EXPECT_TRUE(follows({7, 10}, {7, 1, 20}));
  EXPECT_TRUE(follows({7, 10}, {7, 11, 20}));
  EXPECT_TRUE(follows({7, 10}, {7, 11, 10})) << "all is read, and none is kept";
  EXPECT_TRUE(follows({7, 0}, {7, 0, 0}));
  EXPECT_FALSE(follows({7, 10}, {7, 12, 20})) << "11 is not there any more";
  EXPECT_FALSE(follows({7, 10}, {8, 1, 20})) << "another stream";
  EXPECT_FALSE(follows({7, 10}, {7, 1, 9})) << "the server lost its end";
  EXPECT_FALSE(follows({}, {7, 0, 0})) << "never read";
}

TEST(PurgeStream, messages_are_of_one_member_and_in_order) {
  PurgeNews news{{{"a", 1}, {"b", 0}},
                 {{"a", 3}, {"b", 9}},
                 {purge("a", 2), purge("a", 3), purge("b", 9)},
                 false};
  auto messages = in_messages(news, long_ago);
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0],
            (PurgeNews{{{"a", 1}}, {{"a", 3}}, {purge("a", 2), purge("a", 3)}, false}));
  EXPECT_EQ(messages[1], (PurgeNews{{{"b", 0}}, {{"b", 9}}, {purge("b", 9)}, false}));
}

TEST(PurgeStream, much_news_goes_into_several_messages_without_a_gap) {
  PurgeHistory writer("a"), reader("r");
  for (int i = 0; i < 40; ++i) {
    writer.adopt(writer.change_of(writer.make({.text = "/" + std::string(5'000, 'x')}, today)));
  }
  auto messages = in_messages(writer.missed_of("a", 0), long_ago);
  EXPECT_GT(messages.size(), 2u);
  for (const PurgeNews& each : messages) EXPECT_LT(each.purges.size(), 20u);
  take_all(reader, messages);
  EXPECT_EQ(reader.reached(), writer.reached());
  EXPECT_THAT(reader.missed({}).purges, SizeIs(40));
}

TEST(PurgeStream, one_purge_may_be_as_large_as_it_likes) {
  PurgeNews news{{{"a", 0}},
                 {{"a", 2}},
                 {purge("a", 1, std::string(60'000, 'x')), purge("a", 2, std::string(60'000, 'y'))},
                 false};
  EXPECT_THAT(in_messages(news, long_ago), SizeIs(2));
}

TEST(PurgeStream, what_is_too_old_is_a_gap_for_whoever_missed_it) {
  PurgeNews news{{{"a", 0}},
                 {{"a", 3}},
                 {purge("a", 1, "/old", long_ago), purge("a", 2), purge("a", 3)},
                 false};
  auto messages = in_messages(news, today);
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0],
            (PurgeNews{{{"a", 1}}, {{"a", 3}}, {purge("a", 2), purge("a", 3)}, false}));
  PurgeHistory stranger("s");
  EXPECT_TRUE(stranger.has_gap(messages[0]));
  PurgeNews old{{{"a", 0}}, {{"a", 1}}, {purge("a", 1, "/old", long_ago)}, false};
  EXPECT_THAT(in_messages(old, today), IsEmpty());
}

}  // namespace
}  // namespace relay::edge
