#include "transcoder/presentation.hpp"

#include <gtest/gtest.h>

extern "C" {
#include <libavformat/avformat.h>
}

#include <algorithm>
#include <cstring>

#include "common/media/playlist.hpp"
#include "tests/transcoder/fake_origin.hpp"

namespace relay::transcoder {
namespace {

// Baseline 320 × 180 at 25/s, as x264 writes its parameter sets.
const std::vector<std::uint8_t> avc_record = {
    1,    0x42, 0xc0, 0x0c, 0xff, 0xe1, 0x00, 0x18, 0x67, 0x42, 0xc0, 0x0c, 0xd9, 0x01,
    0x41, 0xfb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20,
    0xf1, 0x42, 0x99, 0x20, 0x01, 0x00, 0x05, 0x68, 0xcb, 0x83, 0xcb, 0x20};

TrackSpec video_track(int number, std::string name, std::int64_t bit_rate_max = 2'000'000) {
  return {.track = number,
          .name = std::move(name),
          .codec = Codec::h264,
          .timescale = 25000,
          .extradata = avc_record,
          .bit_rate_max = bit_rate_max,
          .width = 320,
          .height = 180,
          .frame_rate = {25, 1}};
}

TrackSpec audio_track(int number) {
  return {.track = number,
          .name = "audio",
          .codec = Codec::aac,
          .timescale = 48000,
          .extradata = {0x11, 0x90},
          .bit_rate_max = 128'000,
          .sample_rate = 48000,
          .channels = 2,
          .language = "und"};
}

// `count` samples of `bytes` each; the first is a key frame.
Segment segment_of(const TrackSpec& track, std::int64_t number, int count, std::int64_t each,
                   std::size_t bytes, bool last = false) {
  Segment segment{.track = track.track, .number = number, .last = last};
  std::int64_t start = presentation_base_s * track.timescale + number * count * each;
  for (int i = 0; i < count; ++i) {
    bool sync = i == 0 || !track.video();
    // One slice: length 5, then a NAL unit header of an IDR (5) or another (1) picture.
    std::vector<std::uint8_t> data(bytes, 0x80);
    std::uint32_t nal_bytes = static_cast<std::uint32_t>(bytes - 4);
    if (track.video()) {
      for (int k = 0; k < 4; ++k) data[k] = static_cast<std::uint8_t>(nal_bytes >> (24 - 8 * k));
      data[4] = sync ? 0x65 : 0x41;
    }
    segment.samples.push_back({start + i * each, start + i * each, each, sync, std::move(data)});
  }
  segment.start = start;
  segment.duration = count * each;
  return segment;
}

Segment video_segment(const TrackSpec& track, std::int64_t number, bool last = false,
                      std::size_t bytes = 100) {
  Segment segment = segment_of(track, number, 50, 1000, bytes, last);  // 2 s
  return segment;
}

Segment audio_segment(const TrackSpec& track, std::int64_t number, bool last = false) {
  return segment_of(track, number, 94, 1024, 20, last);
}

media::Job job_of(std::vector<media::PublishedRendition> published = {}) {
  return {.tenant = "demo", .asset = "a", .version = "v1", .published = std::move(published)};
}

TEST(Presentation, PublishesInTheOrderThatKeepsPlaylistsTrue) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of());
  TrackSpec video = video_track(0, "v180"), audio = audio_track(1);
  ASSERT_TRUE(presentation.open_track(video));
  ASSERT_TRUE(presentation.open_track(audio));
  ASSERT_TRUE(presentation.segment(video_segment(video, 0)));
  ASSERT_TRUE(presentation.segment(audio_segment(audio, 0)));
  ASSERT_TRUE(presentation.segment(video_segment(video, 1, true)));
  ASSERT_TRUE(presentation.segment(audio_segment(audio, 1, true)));
  ASSERT_TRUE(presentation.finish());
  EXPECT_EQ(origin.targets(),
            (std::vector<std::string>{
                "/media/v180/init.mp4", "/media/audio/init.mp4", "/media/v180/0.m4s",
                "/media/v180/index.m3u8", "/media/audio/0.m4s", "/media/audio/index.m3u8",
                "/media/index.m3u8",  // only now: sound and picture are both there
                "/media/v180/1.m4s", "/media/v180/index.m3u8", "/media/audio/1.m4s",
                "/media/audio/index.m3u8", "/media/index.m3u8"}));
}

TEST(Presentation, PlaylistsGrowAndEnd) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of());
  TrackSpec video = video_track(0, "v180");
  ASSERT_TRUE(presentation.open_track(video));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(presentation.segment(video_segment(video, i, i == 2)));
  ASSERT_TRUE(presentation.finish());
  std::vector<media::MediaPlaylist> seen;
  for (const Put& put : origin.puts())
    if (put.target == "/media/v180/index.m3u8")
      seen.push_back(media::read_media_playlist(put.body).value());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(media::why_not_extension(seen[0], seen[1]), std::nullopt);
  EXPECT_EQ(media::why_not_extension(seen[1], seen[2]), std::nullopt);
  EXPECT_EQ(seen[0].type, media::PlaylistType::event);
  EXPECT_EQ(seen[0].target_duration_s, 6);
  EXPECT_FALSE(seen[1].ended);
  EXPECT_TRUE(seen[2].ended);
  EXPECT_EQ(seen[2].segments[2].uri, "2.m4s");
  EXPECT_EQ(seen[2].segments[2].seconds(), 2.0);
}

TEST(Presentation, FinalFiguresAreMeasured) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of());
  TrackSpec video = video_track(0, "v180", 9'000'000);
  ASSERT_TRUE(presentation.open_track(video));
  ASSERT_TRUE(presentation.segment(video_segment(video, 0)));
  ASSERT_TRUE(presentation.segment(video_segment(video, 1)));
  ASSERT_TRUE(publisher.finish());
  auto growing = media::read_multivariant_playlist(origin.body("/media/index.m3u8")).value();
  EXPECT_EQ(growing.variants[0].bandwidth, 9'000'000);
  ASSERT_TRUE(presentation.segment(video_segment(video, 2, true)));
  ASSERT_TRUE(presentation.finish());
  auto whole = media::read_multivariant_playlist(origin.body("/media/index.m3u8")).value();
  std::size_t bytes = 0;
  for (int i = 0; i < 3; ++i)
    bytes += origin.body("/media/v180/" + std::to_string(i) + ".m4s").size();
  ASSERT_EQ(whole.variants.size(), 1u);
  EXPECT_NEAR(static_cast<double>(whole.variants[0].average_bandwidth),
              static_cast<double>(bytes) * 8 / 6, 1);
  EXPECT_EQ(whole.variants[0].bandwidth, whole.variants[0].average_bandwidth);
  EXPECT_EQ(whole.variants[0].uri, "v1/v180/index.m3u8");
  EXPECT_EQ(whole.variants[0].codecs, "avc1.42c00c");
  // A key picture of 100 bytes in its boxes, every two seconds.
  ASSERT_EQ(whole.i_frames.size(), 1u);
  EXPECT_EQ(whole.i_frames[0].uri, "v1/v180/iframes.m3u8");
  EXPECT_EQ(whole.i_frames[0].bandwidth, (100 + 8 + 100) * 8 / 2);
}

TEST(Presentation, CaptionsAreStatedOnceTheyAreSeenAndStayStated) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of());
  TrackSpec video = video_track(0, "v180");
  ASSERT_TRUE(presentation.open_track(video));
  ASSERT_TRUE(presentation.segment(video_segment(video, 0)));
  ASSERT_TRUE(publisher.finish());
  EXPECT_FALSE(origin.body("/media/index.m3u8").contains("CLOSED-CAPTIONS"));
  ASSERT_TRUE(presentation.captions(CaptionChannels("0001")));
  ASSERT_TRUE(publisher.finish());
  std::string stated = origin.body("/media/index.m3u8");
  EXPECT_TRUE(stated.contains("INSTREAM-ID=\"CC1\"")) << stated;

  FakeOrigin later;
  Publisher second_publisher(later.fd(), {});
  media::Job job = job_of();
  job.multivariant = stated;
  Presentation second(second_publisher, job);
  ASSERT_TRUE(second.open_track(video));
  ASSERT_TRUE(second.segment(video_segment(video, 0, true)));
  ASSERT_TRUE(second.finish());
  EXPECT_TRUE(later.body("/media/index.m3u8").contains("INSTREAM-ID=\"CC1\""));
}

TEST(Presentation, GoesOnBehindAnEarlierTry) {
  media::MediaPlaylist before{.type = media::PlaylistType::event,
                              .map_uri = "init.mp4",
                              .segments = {{"0.m4s", 50000, 25000}, {"1.m4s", 50000, 25000}}};
  FakeOrigin origin([](const Put& put) {
    // The earlier try stored segment 2 and ended before it could list it.
    if (put.target == "/media/v180/2.m4s") return FakeOrigin::refusal("409 Conflict", "");
    return std::string(FakeOrigin::no_content);
  });
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher,
                            job_of({{"v180", media::write(before), {250'000, 250'000}}}));
  EXPECT_EQ(presentation.published("v180").segments, 2);
  EXPECT_FALSE(presentation.published("v180").ended);
  EXPECT_EQ(presentation.published("v360").segments, 0);
  TrackSpec video = video_track(0, "v180");
  ASSERT_TRUE(presentation.open_track(video));
  EXPECT_FALSE(presentation.segment(video_segment(video, 0)));  // published already
  ASSERT_TRUE(presentation.segment(video_segment(video, 2, true)));
  ASSERT_TRUE(presentation.finish());
  auto after = media::read_media_playlist(origin.body("/media/v180/index.m3u8")).value();
  EXPECT_EQ(media::why_not_extension(before, after), std::nullopt);
  EXPECT_EQ(after.segments.size(), 3u);
  auto multivariant = media::read_multivariant_playlist(origin.body("/media/index.m3u8")).value();
  EXPECT_EQ(multivariant.variants[0].bandwidth, 1'000'000);  // the two earlier ones, 4 s
}

TEST(Presentation, AFinishedRenditionOnlyStandsInTheMultivariant) {
  media::MediaPlaylist done{.type = media::PlaylistType::event,
                            .map_uri = "init.mp4",
                            .segments = {{"0.m4s", 50000, 25000}},
                            .ended = true};
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of({{"v180", media::write(done), {1000}}}));
  EXPECT_TRUE(presentation.published("v180").ended);
  TrackSpec video = video_track(0, "v180");
  ASSERT_TRUE(presentation.open_track(video));
  EXPECT_FALSE(presentation.segment(video_segment(video, 1)));
  ASSERT_TRUE(presentation.finish());
  EXPECT_EQ(origin.targets(),
            (std::vector<std::string>{"/media/v180/init.mp4", "/media/index.m3u8"}));
}

TEST(Presentation, RefusesSegmentsThatBreakThePromise) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of());
  TrackSpec video = video_track(0, "v180");
  EXPECT_FALSE(presentation.segment(video_segment(video, 0)));  // not open
  ASSERT_TRUE(presentation.open_track(video));
  EXPECT_FALSE(presentation.open_track(video));
  EXPECT_FALSE(presentation.segment(video_segment(video, 1)));                 // out of order
  auto long_one = presentation.segment(segment_of(video, 0, 163, 1000, 100));  // 6.52 s
  ASSERT_FALSE(long_one);
  EXPECT_EQ(long_one.error().kind, ErrorKind::internal);
  EXPECT_TRUE(presentation.segment(segment_of(video, 0, 162, 1000, 100)));
}

struct Bytes {
  std::string text;
  std::size_t at = 0;
  static int read(void* opaque, std::uint8_t* into, int size) {
    auto* bytes = static_cast<Bytes*>(opaque);
    std::size_t n = std::min<std::size_t>(size, bytes->text.size() - bytes->at);
    if (n == 0) return AVERROR_EOF;
    std::memcpy(into, bytes->text.data() + bytes->at, n);
    bytes->at += n;
    return static_cast<int>(n);
  }
};

struct Packet {
  std::int64_t dts;
  bool key;
  bool operator==(const Packet&) const = default;
};

// What libavformat reads from a fragmented file; the stream's time base must be 1/timescale.
std::vector<Packet> demuxed(std::string text, std::int64_t timescale) {
  Bytes bytes{std::move(text)};
  auto* buffer = static_cast<unsigned char*>(av_malloc(4096));
  AVIOContext* io = avio_alloc_context(buffer, 4096, 0, &bytes, Bytes::read, nullptr, nullptr);
  AVFormatContext* context = avformat_alloc_context();
  context->pb = io;
  std::vector<Packet> packets;
  if (avformat_open_input(&context, nullptr, nullptr, nullptr) == 0) {
    AVPacket* packet = av_packet_alloc();
    EXPECT_EQ(context->nb_streams, 1u);
    EXPECT_EQ(context->streams[0]->time_base.den, timescale);
    while (av_read_frame(context, packet) == 0) {
      packets.push_back({packet->dts, (packet->flags & AV_PKT_FLAG_KEY) != 0});
      av_packet_unref(packet);
    }
    av_packet_free(&packet);
  }
  avformat_close_input(&context);
  av_freep(&io->buffer);
  avio_context_free(&io);
  return packets;
}

TEST(Presentation, AnotherReaderSeesTheSameTimes) {
  FakeOrigin origin;
  Publisher publisher(origin.fd(), {});
  Presentation presentation(publisher, job_of());
  TrackSpec video = video_track(0, "v180"), audio = audio_track(1);
  ASSERT_TRUE(presentation.open_track(video));
  ASSERT_TRUE(presentation.open_track(audio));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(presentation.segment(video_segment(video, i, i == 1)));
    ASSERT_TRUE(presentation.segment(audio_segment(audio, i, i == 1)));
  }
  ASSERT_TRUE(presentation.finish());
  auto file = [&](const std::string& name) {
    return origin.body("/media/" + name + "/init.mp4") + origin.body("/media/" + name + "/0.m4s") +
           origin.body("/media/" + name + "/1.m4s");
  };
  auto pictures = demuxed(file("v180"), 25000);
  ASSERT_EQ(pictures.size(), 100u);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(pictures[i], (Packet{250000 + 1000 * i, i % 50 == 0})) << i;
  auto sounds = demuxed(file("audio"), 48000);
  ASSERT_EQ(sounds.size(), 188u);
  for (int i = 0; i < 188; ++i) EXPECT_EQ(sounds[i], (Packet{480000 + 1024 * i, true})) << i;
}

}  // namespace
}  // namespace relay::transcoder
