#include "transcoder/publisher.hpp"

#include <gtest/gtest.h>

#include "common/http/repr_digest.hpp"
#include "tests/transcoder/fake_origin.hpp"

namespace relay::transcoder {
namespace {

Object object(std::string path, std::string body, OnConflict on_conflict = OnConflict::refuse) {
  Digest128 digest = digest128(body);
  return {std::move(path), std::move(body), digest, on_conflict};
}

TEST(Publisher, SendsInOrderWithDigests) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(publisher.put(object("v/" + std::to_string(i) + ".m4s", std::string(i, 'x'))));
  ASSERT_TRUE(publisher.progress({0.5, "encoding"}));
  ASSERT_TRUE(publisher.finish());
  ASSERT_EQ(origin.puts().size(), 41u);
  ASSERT_TRUE(publisher.result({.ready = true}));
  auto puts = origin.puts();
  ASSERT_EQ(puts.size(), 42u);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(puts[i].target, "/media/v/" + std::to_string(i) + ".m4s");
    EXPECT_EQ(puts[i].body, std::string(i, 'x'));
    EXPECT_EQ(puts[i].digest, http::write_repr_digest(digest128(puts[i].body)));
  }
  EXPECT_EQ(puts[40].target, "/progress");
  EXPECT_EQ(puts[41].target, "/result");
  EXPECT_TRUE(media::result_from_json(puts[41].body)->ready);
}

TEST(Publisher, RefusalsAreErrorsThatStay) {
  struct Row {
    const char* status;
    ErrorKind kind;
    bool retry;
  } rows[] = {{"507 Insufficient Storage", ErrorKind::no_space, true},
              {"409 Conflict", ErrorKind::conflict, false},
              {"400 Bad Request", ErrorKind::invalid, false},
              {"503 Service Unavailable", ErrorKind::unavailable, true}};
  for (const Row& row : rows) {
    FakeOrigin origin([&](const Put& put) {
      if (put.target == "/result") return std::string(FakeOrigin::no_content);
      return FakeOrigin::refusal(row.status, R"({"detail":"because"})");
    });
    Publisher publisher(origin.fd(), {});
    ASSERT_TRUE(publisher.put(object("v/0.m4s", "x")));
    auto finished = publisher.finish();
    ASSERT_FALSE(finished) << row.status;
    EXPECT_EQ(finished.error().kind, row.kind) << row.status;
    EXPECT_EQ(finished.error().retry, row.retry) << row.status;
    EXPECT_TRUE(finished.error().message.ends_with("because")) << finished.error().message;
    EXPECT_FALSE(publisher.put(object("v/1.m4s", "x")));
    EXPECT_TRUE(publisher.result({.ready = false, .reason = "no"})) << row.status;
    EXPECT_EQ(origin.targets(), (std::vector<std::string>{"/media/v/0.m4s", "/result"}));
  }
}

TEST(Publisher, KeepsWhatAnEarlierTryStored) {
  FakeOrigin origin([&](const Put&) { return FakeOrigin::refusal("409 Conflict", ""); });
  Publisher publisher(origin.fd(), {});
  ASSERT_TRUE(publisher.put(object("v/0.m4s", "x", OnConflict::keep_earlier)));
  EXPECT_TRUE(publisher.finish());
}

TEST(Publisher, ALostOriginIsAnErrorAndNotASignal) {
  FakeOrigin origin([&](const Put&) { return ""; });
  Publisher publisher(origin.fd(), {});
  ASSERT_TRUE(publisher.put(object("v/0.m4s", std::string(8 << 20, 'x'))));
  auto finished = publisher.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().kind, ErrorKind::aborted);
  EXPECT_TRUE(finished.error().retry);
  EXPECT_FALSE(publisher.result({.ready = true}));
}

TEST(Publisher, ASilentOriginIsATimeout) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  {
    Publisher publisher(ends[0], {.stall = std::chrono::milliseconds(50)});
    ASSERT_TRUE(publisher.put(object("v/0.m4s", "x")));
    auto finished = publisher.finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().kind, ErrorKind::timeout);
  }
  close(ends[0]);
  close(ends[1]);
}

TEST(Publisher, OutputHasALimit) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {.output_bytes_max = 2 << 20});
  ASSERT_TRUE(publisher.put(object("a.jpg", std::string(1 << 20, 'x'))));
  auto over = publisher.put(object("b.jpg", std::string((1 << 20) + 1, 'x')));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::too_large);
  EXPECT_EQ(over.error().message, "the renditions are larger than the limit of 2 MiB");
}

}  // namespace
}  // namespace relay::transcoder
