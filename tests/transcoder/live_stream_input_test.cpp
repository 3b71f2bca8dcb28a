// Transport streams that the ffmpeg command makes, as packets: what comes out is what libav alone
// makes of them, but a picture is there with its last packet.
#include "transcoder/live/stream_input.hpp"

#include <gtest/gtest.h>

#include <random>

#include "common/store/file.hpp"
#include "tests/transcoder/clip.hpp"
#include "tests/transcoder/ts_builder.hpp"

namespace relay::transcoder::live {
namespace {

struct Got {
  bool picture = false, key = false;
  std::int64_t pts = 0, dts = 0;
  std::string bytes;
  std::size_t read = 0;  // packets of the feed, when it came out
  std::int64_t arrival = 0;
};

/// Zeros between two units belong to either.
std::string trimmed(std::string bytes) {
  while (bytes.ends_with('\0')) bytes.pop_back();
  return bytes.substr(std::min(bytes.find_first_not_of('\0'), bytes.size()));
}

Got got_of(const AVPacket& packet, bool picture) {
  Got got{.picture = picture, .key = (packet.flags & AV_PKT_FLAG_KEY) != 0};
  got.pts = packet.pts;
  got.dts = packet.dts;
  got.bytes =
      trimmed({reinterpret_cast<const char*>(packet.data), static_cast<std::size_t>(packet.size)});
  return got;
}

/// As a feed of one packet a unit, its number being its time of arrival.
std::vector<Got> read_live(const Packets& packets) {
  ByteQueue queue(1 << 30);
  for (std::size_t i = 0; i < packets.size(); ++i)
    queue.push(packets[i], static_cast<std::int64_t>(i));
  queue.end();
  auto input = StreamInput::open(media::FeedFormat::mpegts, queue, SourceLimits{});
  if (!input) return {};
  std::vector<Got> all;
  av::Packet packet = av::make_packet();
  while ((*input)->next(*packet)) {
    const AVStream* picture = (*input)->picture();
    all.push_back(got_of(*packet, picture && packet->stream_index == picture->index));
    all.back().read = packets.size() - queue.bytes() / media::ts_packet_bytes;
    all.back().arrival = (*input)->arrival_us();
  }
  return all;
}

/// The first picture and sound of a file by libav alone.
std::vector<Got> read_plain(const std::string& file) {
  AVFormatContext* opened = nullptr;
  if (avformat_open_input(&opened, file.c_str(), av_find_input_format("mpegts"), nullptr) < 0)
    return {};
  av::Input input(opened);
  std::vector<Got> all;
  int chosen[2] = {-1, -1};
  av::Packet packet = av::make_packet();
  for (; av_read_frame(input.get(), packet.get()) >= 0; av_packet_unref(packet.get())) {
    AVMediaType type = input->streams[packet->stream_index]->codecpar->codec_type;
    if (type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO) continue;
    bool picture = type == AVMEDIA_TYPE_VIDEO;
    if (packet->dts == AV_NOPTS_VALUE) packet->dts = packet->pts;
    if (chosen[picture] < 0 && packet->dts != AV_NOPTS_VALUE)
      chosen[picture] = packet->stream_index;
    bool timed = packet->dts != AV_NOPTS_VALUE || !picture;
    if (timed && packet->stream_index == chosen[picture]) all.push_back(got_of(*packet, picture));
  }
  return all;
}

std::vector<Got> pictures_of(const std::vector<Got>& all, bool picture = true) {
  std::vector<Got> some;
  for (const Got& got : all)
    if (got.picture == picture) some.push_back(got);
  return some;
}

/// How many packets a decoder makes pictures of, and without an error.
int decoded(const std::vector<Got>& all, AVCodecID coding) {
  av::CodecContext codec(avcodec_alloc_context3(avcodec_find_decoder(coding)));
  if (avcodec_open2(codec.get(), nullptr, nullptr) < 0) return -1;
  av::Frame frame = av::make_frame();
  int good = 0;
  auto drain = [&] {
    for (; avcodec_receive_frame(codec.get(), frame.get()) >= 0; av_frame_unref(frame.get()))
      good += frame->decode_error_flags == 0 && !(frame->flags & AV_FRAME_FLAG_CORRUPT);
  };
  for (const Got& got : all) {
    av::Packet packet = av::make_packet();
    if (av_new_packet(packet.get(), static_cast<int>(got.bytes.size())) < 0) return -1;
    std::copy(got.bytes.begin(), got.bytes.end(), packet->data);
    avcodec_send_packet(codec.get(), packet.get());
    drain();
  }
  avcodec_send_packet(codec.get(), nullptr);
  drain();
  return good;
}

class StreamInputStory : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no ffmpeg command";
    av::quiet();
  }
  /// Two seconds of moving pictures with a tone.
  Packets made(const std::string& how) {
    file = dir / "clip.ts";
    EXPECT_TRUE(
        ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=440:r=48000:d=2 "
               "-pix_fmt yuv420p -c:a aac " +
               how + " -f mpegts " + file))
        << how;
    return packets_of(store::read_file(file).value());
  }
  void expect_same(const std::vector<Got>& live, bool picture) {
    auto mine = pictures_of(live, picture), plain = pictures_of(read_plain(file), picture);
    ASSERT_EQ(mine.size(), plain.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      EXPECT_EQ(mine[i].pts, plain[i].pts) << i;
      EXPECT_EQ(mine[i].dts, plain[i].dts) << i;
      EXPECT_EQ(mine[i].key, plain[i].key) << i;
      EXPECT_TRUE(mine[i].bytes == plain[i].bytes) << i;
    }
  }
  /// Where pictures end in the feed: for each its last packet, and whether it is filled up.
  static std::vector<std::pair<std::size_t, bool>> ends_of(const Packets& packets) {
    std::vector<std::pair<std::size_t, bool>> ends;
    int pid = -1;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      media::TsPacket packet(packets[i]);
      bool begins = packet.begins_unit() && media::begins_picture(packet.payload());
      if (pid < 0 && begins) pid = packet.pid();
      if (packet.pid() != pid || packet.payload().empty()) continue;
      if (begins) ends.emplace_back();
      ends.back() = {i, packet.stuffed()};
    }
    return ends;
  }
  /// Every picture's arrival is its last packet's, and from the third on nothing more is read
  /// before it comes out.
  static void expect_at_once(const std::vector<Got>& live, const Packets& packets) {
    auto mine = pictures_of(live);
    auto ends = ends_of(packets);
    ASSERT_EQ(mine.size(), ends.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      EXPECT_EQ(mine[i].arrival, static_cast<std::int64_t>(ends[i].first)) << i;
      if (i >= 2 && ends[i].second) EXPECT_EQ(mine[i].read, ends[i].first + 1) << i;
    }
  }

  tests::TemporaryFolder dir;
  std::string file;
};

TEST_F(StreamInputStory, PicturesAreThereWithTheirLastPacket) {
  for (const char* how : {"-c:v libx264 -preset ultrafast -tune zerolatency -g 25",
                          "-c:v libx264 -preset veryfast -bf 3 -g 25 -x264-params slices=3",
                          "-c:v libx264 -preset ultrafast -flags +ildct+ilme -g 25 -bf 2",
                          "-c:v libx264 -preset ultrafast -b:v 300k -muxrate 1200k",
                          "-c:v libx264 -preset ultrafast -x264-params nal-hrd=cbr -b:v 900k "
                          "-maxrate 900k -bufsize 100k",
                          "-c:v libx264 -preset ultrafast -omit_video_pes_length 0 -muxdelay 0",
                          "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25"}) {
    SCOPED_TRACE(how);
    Packets packets = made(how);
    auto live = read_live(packets);
    expect_same(live, true);
    expect_same(live, false);
    expect_at_once(live, packets);
  }
}

TEST_F(StreamInputStory, WhatItKnowsNothingOfComesOutAsItDid) {
  for (const char* how :
       {"-c:v mpeg2video -bf 2", "-c:v mpeg2video -c:a mp2", "-vn", "-vn -c:a mp2",
        "-c:v libx264 -preset ultrafast -c:a mp2", "-c:v libx264 -preset ultrafast -c:a ac3",
        "-an -c:v libx264 -preset ultrafast",
        "-map 0 -map 1 -map 0 -c:v libx264 -preset ultrafast -program title=a:st=0:st=1 "
        "-program title=b:st=2"}) {
    SCOPED_TRACE(how);
    auto live = read_live(made(how));
    EXPECT_GT(live.size(), 40u);
    expect_same(live, true);
    expect_same(live, false);
  }
}

/// Each PES packet cut in two, filled up in the middle.
Packets filled_within(const Packets& packets, std::size_t from) {
  Packets all;
  unsigned more = 0;
  int pid = -1;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    media::TsPacket packet(packets[i]);
    if (pid < 0 && packet.begins_unit() && media::begins_picture(packet.payload()))
      pid = packet.pid();
    bool full = packet.pid() == pid && !packet.begins_unit() && packet.payload().size() == 184;
    std::string bytes = packets[i];
    if (packet.pid() == pid)
      bytes[3] = static_cast<char>((bytes[3] & 0xf0) | ((bytes[3] + static_cast<int>(more)) & 15));
    if (!full || i < from) {
      all.push_back(bytes);
      continue;
    }
    TsBuilder half(pid);
    half.skip(static_cast<unsigned>(bytes[3] & 15));
    all.push_back(half.packet(packet.payload().substr(0, 92)));
    all.push_back(half.packet(packet.payload().substr(92)));
    ++more;
  }
  return all;
}

TEST_F(StreamInputStory, AStreamThatFillsUpWithinPicturesLosesNothing) {
  Packets packets = filled_within(made("-c:v libx264 -preset ultrafast -g 25"), 0);
  auto live = read_live(packets);
  expect_same(live, true);
  expect_same(live, false);
}

TEST_F(StreamInputStory, AWrongGuessCostsOnePicture) {
  Packets packets = made("-c:v libx264 -preset ultrafast -tune zerolatency -g 25");
  auto plain = pictures_of(read_plain(file));
  auto live = pictures_of(read_live(filled_within(packets, packets.size() / 2)));
  ASSERT_EQ(live.size(), plain.size());
  std::size_t damaged = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(live[i].pts, plain[i].pts) << i;
    damaged += !live[i].bytes.ends_with(plain[i].bytes);
  }
  EXPECT_EQ(damaged, 1u);
}

// Packets lost and bits flipped: no fewer pictures come out of the decoder.
TEST_F(StreamInputStory, DamageCostsNoMoreThanItDid) {
  Packets packets = made("-an -c:v libx264 -preset ultrafast -tune zerolatency -g 10");
  int mine = 0, plain = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    Packets torn = packets;
    for (unsigned damage = 1 + random() % 6; damage > 0; --damage) {
      std::size_t at = 20 + random() % (torn.size() - 20);
      if (random() % 2)
        torn.erase(torn.begin() + static_cast<std::ptrdiff_t>(at));
      else
        torn[at][1 + random() % 187] ^= static_cast<char>(1 << random() % 8);
    }
    std::string bytes;
    for (const std::string& packet : torn) bytes += packet;
    file = dir / "torn.ts";
    ASSERT_TRUE(store::write_atomically(file, bytes));
    mine += decoded(pictures_of(read_live(torn)), AV_CODEC_ID_H264);
    plain += decoded(pictures_of(read_plain(file)), AV_CODEC_ID_H264);
  }
  EXPECT_GE(mine + mine / 100, plain) << "a picture here or there is chance";
}

}  // namespace
}  // namespace relay::transcoder::live
