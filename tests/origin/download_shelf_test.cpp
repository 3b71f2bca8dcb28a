#include "origin/download_shelf.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <utility>

namespace relay::origin {
namespace {

using Found = std::optional<Result<DownloadShelf::Shared>>;

class DownloadShelfTest : public testing::Test {
 protected:
  ~DownloadShelfTest() override {
    open_gate();
    io.run();
  }

  /// Begins to look for it; what comes of that is in the result after the next run.
  std::shared_ptr<Found> ask(const std::string& key, bool well = true) {
    auto found = std::make_shared<Found>();
    DownloadShelf::Make make = [this, key, well]() -> Result<DownloadShelf::Shared> {
      ++made;
      open.wait();
      if (!well) return fail(ErrorKind::conflict, ErrorSource::client, "not yet");
      return std::make_shared<DownloadFile>(DownloadFile{.key = key});
    };
    net::spawn(io, store(shelf.find(key, std::move(make)), found));
    io.restart();
    io.poll();
    return found;
  }
  static net::Task<void> store(net::Task<Result<DownloadShelf::Shared>> task,
                               std::shared_ptr<Found> into) {
    into->emplace(co_await std::move(task));
  }
  void open_gate() {
    if (!std::exchange(is_open, true)) gate.set_value();
  }
  void finish() {
    open_gate();
    io.restart();
    io.run();
  }

  net::asio::io_context io;
  net::Blocking blocking{download_builds_max};
  DownloadShelf shelf{blocking};
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future();
  bool is_open = false;
  std::atomic<int> made{0};
};

TEST_F(DownloadShelfTest, WhoComesWhileItIsMadeWaitsForIt) {
  std::vector<std::shared_ptr<Found>> asked;
  for (int i = 0; i < 20; ++i) asked.push_back(ask("demo/goal/v1/"));
  finish();
  EXPECT_EQ(made, 1);
  for (const auto& each : asked) ASSERT_TRUE(*each && **each);
  DownloadShelf::Shared file = ***asked.front();
  for (const auto& each : asked) EXPECT_EQ(***each, file);
  auto later = ask("demo/goal/v1/");
  finish();
  EXPECT_EQ(made, 1) << "it is kept";
  EXPECT_EQ(***later, file);
}

TEST_F(DownloadShelfTest, AFailureIsToldToAllWhoWaitedAndIsNotKept) {
  auto first = ask("demo/goal/v1/", false), second = ask("demo/goal/v1/", false);
  finish();
  EXPECT_EQ(made, 1);
  for (const auto& each : {first, second}) {
    ASSERT_TRUE(*each);
    ASSERT_FALSE(**each);
    EXPECT_EQ((*each)->error().kind, ErrorKind::conflict);
  }
  auto again = ask("demo/goal/v1/");
  finish();
  EXPECT_EQ(made, 2);
  EXPECT_TRUE(*again && **again);
}

TEST_F(DownloadShelfTest, OnlySoManyAreMadeAtOnce) {
  std::vector<std::shared_ptr<Found>> asked;
  for (std::size_t i = 0; i < download_builds_max; ++i)
    asked.push_back(ask("demo/a/v1/" + std::to_string(i)));
  auto refused = ask("demo/b/v1/");
  ASSERT_TRUE(*refused) << "it is told at once";
  ASSERT_FALSE(**refused);
  EXPECT_EQ((*refused)->error().kind, ErrorKind::unavailable);
  EXPECT_TRUE((*refused)->error().retry);
  asked.push_back(ask("demo/a/v1/0"));
  finish();
  EXPECT_EQ(made, static_cast<int>(download_builds_max));
  for (const auto& each : asked) EXPECT_TRUE(*each && **each);
  auto again = ask("demo/b/v1/");
  finish();
  EXPECT_TRUE(*again && **again);
}

}  // namespace
}  // namespace relay::origin
