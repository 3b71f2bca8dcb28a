#include "common/base/log.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <thread>
#include <vector>

namespace relay::log {
namespace {

/// What `act` writes to stderr, without the time in front.
template <class Act>
std::string logged(Act act) {
  testing::internal::CaptureStderr();
  act();
  std::string text = testing::internal::GetCapturedStderr();
  static const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
  return std::regex_replace(text, time, "T");
}

TEST(Log, TextQuotesWhatCouldForgeALine) {
  std::string text = logged([] {
    configure("edge", Level::info, Format::text);
    info("upload stored", {kv("tenant", "demo"), kv("bytes", 12), kv("path", "/a b\n\"x"),
                           kv("empty", ""), kv("done", true)});
  });
  EXPECT_EQ(text,
            "time=T level=info program=edge event=\"upload stored\" tenant=demo bytes=12 "
            "path=\"/a b\\n\\\"x\" empty=\"\" done=true\n");
}

TEST(Log, JsonIsJson) {
  std::string text = logged([] {
    configure("edge", Level::info, Format::json);
    warn("slow", {kv("ms", 1.5), kv("who", "a\\b\x01"), kv("ok", false), kv("ratio", std::nan("")),
                  kv("letter", 'x')});
  });
  EXPECT_EQ(text, R"({"time":"T","level":"warn","program":"edge","event":"slow","ms":1.5,)"
                  R"("who":"a\\b\u0001","ok":false,"ratio":"nan","letter":"x"})"
                  "\n");
}

TEST(Log, LinesBelowTheLevelAreLeftOut) {
  std::string text = logged([] {
    configure("edge", Level::warn, Format::text);
    debug("a");
    info("b");
    error("c");
  });
  EXPECT_EQ(text, "time=T level=error program=edge event=c\n");
}

TEST(Log, LinesOfSeveralThreadsStayWhole) {
  constexpr int threads = 4, lines = 200;
  std::string text = logged([] {
    configure("edge", Level::info, Format::text);
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([] {
        for (int i = 0; i < lines; ++i) info("tick", {kv("n", 7)});
      });
    }
  });
  std::string expected;
  for (int i = 0; i < threads * lines; ++i) {
    expected += "time=T level=info program=edge event=tick n=7\n";
  }
  EXPECT_EQ(text, expected);
}

}  // namespace
}  // namespace relay::log
