#include "transcoder/live/picture_limit.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/transcoder/clip.hpp"
#include "transcoder/demuxer.hpp"

namespace relay::transcoder::live {
namespace {

using std::chrono::steady_clock;

// The first packet of a coding whose parameter sets stand in the head alone, as in RTMP.
class Coded {
 public:
  Coded(const std::string& size, const std::string& file) {
    ok = ffmpeg("-f lavfi -i testsrc2=r=25:d=0.2:s=" + size + " -pix_fmt yuv420p -c:v libx264 " +
                file);
    fd_ = open(file.c_str(), O_RDONLY);
    if (auto opened = Demuxer::open(fd_, SourceLimits{}, stop_); opened)
      demuxer_ = std::move(*opened);
    ok = ok && demuxer_ && demuxer_->next(*packet).value_or(false);
  }
  ~Coded() { close(fd_); }
  const AVStream& stream() const { return *demuxer_->video(); }

  /// `packet` with a new head in its side data, as libavformat tells of a second sequence header.
  void announce() {
    const AVCodecParameters& coding = *stream().codecpar;
    auto bytes = static_cast<std::size_t>(coding.extradata_size);
    std::uint8_t* into = av_packet_new_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, bytes);
    std::copy_n(coding.extradata, bytes, into);
  }

  bool ok = false;
  av::Packet packet = av::make_packet();

 private:
  int fd_ = -1;
  StopSignal stop_{steady_clock::now() + std::chrono::minutes(5)};
  std::unique_ptr<Demuxer> demuxer_;
};

class LivePictureLimit : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no ffmpeg command";
    limits.width_max = 320;
    limits.height_max = 200;
  }
  tests::TemporaryFolder dir;
  SourceLimits limits;
};

constexpr const char* too_large = "the picture is 640x360, at most 320x200 is allowed";

TEST_F(LivePictureLimit, ASecondHeadIsBelievedLikeTheFirst) {
  for (bool is_key : {true, false}) {  // as the packet says
    Coded small("320x180", dir / "small.mp4"), large("640x360", dir / "large.mp4");
    ASSERT_TRUE(small.ok && large.ok);
    PictureLimit limit(limits);
    EXPECT_EQ(limit.refusal(small.stream(), *small.packet), "");
    if (!is_key) large.packet->flags &= ~AV_PKT_FLAG_KEY;
    large.announce();
    EXPECT_EQ(limit.refusal(small.stream(), *large.packet), too_large) << is_key;
  }
}

TEST_F(LivePictureLimit, APublisherMayComeDownToASmallerPicture) {
  Coded small("160x90", dir / "small.mp4"), large("320x180", dir / "large.mp4");
  ASSERT_TRUE(small.ok && large.ok);
  PictureLimit limit(limits);
  EXPECT_EQ(limit.refusal(large.stream(), *large.packet), "");
  small.announce();
  EXPECT_EQ(limit.refusal(large.stream(), *small.packet), "");
}

}  // namespace
}  // namespace relay::transcoder::live
