#include "origin/live/rtmp/session.hpp"

#include <gtest/gtest.h>

#include "common/base/big_endian.hpp"

namespace relay::origin::live::rtmp {
namespace {

constexpr std::size_t handshake_bytes = 1536;

/// The other end: what an encoder sends, and the messages that it gets.
class Encoder {
 public:
  Encoder() : session(std::string(1528, 'r')) {}

  void handshake() {
    give(std::string(1, '\3') + std::string(handshake_bytes, 'c'));
    EXPECT_EQ(session.take_output().size(), 1 + 2 * handshake_bytes);
    give(std::string(handshake_bytes, 's'));
  }
  void command(std::vector<Amf> values) {
    give(write_chunks({MessageType::command, 0, 0, write_amf(values)}, 3, 128));
  }
  void connect_and_publish(std::string app = "demo", std::string stream = "final?key=k") {
    handshake();
    command({"connect", 1.0, Amf::Object{{"app", app}}});
    command({"releaseStream", 2.0, Amf(), stream});
    command({"createStream", 4.0, Amf()});
    command({"publish", 5.0, Amf(), stream, "live"});
  }
  void give(std::string bytes) {
    std::string_view left = bytes;
    while (!error) {
      auto event = session.read(left);
      if (!event) error = event.error().message;
      if (!event || !*event) break;
      events.push_back(std::move(**event));
    }
    EXPECT_TRUE(error || left.empty());
    given += bytes;
  }
  /// The commands in the output.
  std::vector<std::vector<Amf>> answers() {
    std::string bytes = session.take_output();
    std::string_view left = bytes;
    std::vector<std::vector<Amf>> found;
    while (true) {
      auto message = reader.read(left);
      EXPECT_TRUE(message);
      if (!message || !*message) return found;
      if ((*message)->type == MessageType::command) found.push_back(*read_amf((*message)->payload));
    }
  }

  Session session;
  ChunkReader reader;
  std::vector<Session::Event> events;
  std::optional<std::string> error;
  std::string given;
};

TEST(RtmpSession, APublisherIsAskedForAndAccepted) {
  Encoder encoder;
  encoder.connect_and_publish();
  ASSERT_EQ(encoder.events.size(), 1u);
  const auto& publish = std::get<Session::Publish>(encoder.events[0]);
  EXPECT_EQ(publish.app, "demo");
  EXPECT_EQ(publish.stream, "final?key=k");
  auto answers = encoder.answers();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0][3].member("code")->text(), "NetConnection.Connect.Success");
  EXPECT_EQ(answers[2][3].number(), 1) << "the stream's number";
  encoder.session.accept();
  answers = encoder.answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0][3].member("code")->text(), "NetStream.Publish.Start");
}

TEST(RtmpSession, MediaIsGivenAfterTheAnswerOnly) {
  Encoder encoder;
  encoder.connect_and_publish();
  Message picture{MessageType::video, 40, 1, std::string("\x17\x01") + std::string(300, 'v')};
  encoder.give(write_chunks(picture, 6, 128));
  EXPECT_EQ(encoder.events.size(), 1u) << "not accepted yet";
  encoder.session.accept();
  encoder.give(write_chunks(picture, 6, 128));
  ASSERT_EQ(encoder.events.size(), 2u);
  const Message& got = std::get<Session::Media>(encoder.events[1]).message;
  EXPECT_EQ(got.payload, picture.payload);
  EXPECT_EQ(got.timestamp_ms, 40u);
  encoder.command({"FCUnpublish", 6.0, Amf(), "final"});
  encoder.command({"deleteStream", 7.0, Amf(), 1.0});
  ASSERT_EQ(encoder.events.size(), 3u) << "one end";
  EXPECT_TRUE(std::holds_alternative<Session::End>(encoder.events[2]));
}

TEST(RtmpSession, HowBytesAreCutChangesNothing) {
  Encoder whole;
  whole.connect_and_publish();
  whole.session.accept();
  whole.give(write_chunks({MessageType::audio, 7, 1, std::string(500, 'a')}, 4, 128));
  Encoder bytewise;
  for (char byte : whole.given) {
    bytewise.give(std::string(1, byte));
    if (bytewise.events.size() == 1 && !bytewise.session.publishing()) bytewise.session.accept();
  }
  EXPECT_FALSE(bytewise.error);
  ASSERT_EQ(bytewise.events.size(), 2u);
  EXPECT_EQ(std::get<Session::Media>(bytewise.events[1]).message.payload,
            std::get<Session::Media>(whole.events[1]).message.payload);
}

TEST(RtmpSession, ARefusalSaysWhy) {
  Encoder encoder;
  encoder.connect_and_publish("demo", "final?key=wrong");
  encoder.answers();
  encoder.session.refuse("the stream key is not valid");
  auto answers = encoder.answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0][3].member("level")->text(), "error");
  EXPECT_EQ(answers[0][3].member("description")->text(), "the stream key is not valid");
  encoder.give(write_chunks({MessageType::video, 0, 1, "x"}, 6, 128));
  EXPECT_TRUE(encoder.error);
}

TEST(RtmpSession, PlayingIsRefused) {
  Encoder encoder;
  encoder.handshake();
  encoder.command({"connect", 1.0, Amf::Object{{"app", "demo"}}});
  encoder.answers();
  encoder.command({"play", 2.0, Amf(), "final"});
  EXPECT_EQ(encoder.answers()[0][3].member("code")->text(), "NetStream.Play.Failed");
}

TEST(RtmpSession, WhatIsNotRtmpEndsTheSession) {
  for (std::string bytes : {"GET / HTTP/1.1\r\n", "\x16\x03\x01", "\x06"}) {
    Encoder encoder;
    encoder.give(bytes);
    EXPECT_TRUE(encoder.error) << bytes;
  }
  Encoder early;
  early.handshake();
  early.command({"publish", 1.0, Amf(), "final"});
  EXPECT_EQ(early.error, "RTMP: a command before 'connect'");
}

TEST(RtmpSession, CommandsWithoutEndAreNotAnswered) {
  Encoder encoder;
  encoder.handshake();
  for (int i = 0; i < 10'000 && !encoder.error; ++i)
    encoder.command({"connect", 1.0, Amf::Object{{"app", "demo"}}});
  EXPECT_TRUE(encoder.error);
  EXPECT_LE(encoder.session.take_output().size(), Session::output_bytes_max + 4096);
}

TEST(RtmpSession, BytesAreAcknowledged) {
  Encoder encoder;
  encoder.connect_and_publish();
  encoder.session.accept();
  std::string window;
  append_big_endian(window, 200'000, 4);
  encoder.give(write_chunks({MessageType::window_acknowledgement_size, 0, 0, window}, 2, 128));
  encoder.session.take_output();
  encoder.give(write_chunks({MessageType::video, 0, 1, std::string(150'000, 'v')}, 6, 128));
  std::string output = encoder.session.take_output();
  ASSERT_EQ(output.size(), 16u);
  EXPECT_EQ(output[7], static_cast<char>(MessageType::acknowledgement));
}

TEST(RtmpChunks, EveryFormOfHeadIsRead) {
  ChunkReader reader;
  auto read = [&](std::string bytes) {
    std::string_view left = bytes;
    auto message = reader.read(left);
    EXPECT_TRUE(message) << message.error().message;
    EXPECT_TRUE(left.empty());
    return message && *message ? **message : Message{};
  };
  std::string full(
      "\x04\x00\x00\x64\x00\x00\x02\x09\x01\x00\x00\x00"
      "ab",
      14);
  EXPECT_EQ(read(full).timestamp_ms, 100u);
  EXPECT_EQ(read(std::string("\x44\x00\x00\x0a\x00\x00\x01\x09"
                             "c",
                             9))
                .timestamp_ms,
            110u);
  EXPECT_EQ(read(std::string("\x84\x00\x00\x05"
                             "d",
                             5))
                .timestamp_ms,
            115u);
  Message same = read(
      "\xc4"
      "e");
  EXPECT_EQ(same.timestamp_ms, 120u);
  EXPECT_EQ(same.payload, "e");
  EXPECT_EQ(same.stream, 1u);
  std::string far(
      "\x05\xff\xff\xff\x00\x00\x01\x08\x01\x00\x00\x00\x01\x00\x00\x00"
      "x",
      17);
  EXPECT_EQ(read(far).timestamp_ms, 0x01000000u);
  std::string long_form(
      "\x00\x06\x00\x00\x07\x00\x00\x01\x08\x01\x00\x00\x00"
      "y",
      14);
  EXPECT_EQ(read(long_form).timestamp_ms, 7u);
}

TEST(RtmpChunks, LimitsHold) {
  auto refused = [](std::string bytes) {
    ChunkReader reader;
    std::string_view left = bytes;
    for (;;) {
      auto message = reader.read(left);
      if (!message) return true;
      if (!*message) return false;
    }
  };
  EXPECT_TRUE(refused(std::string("\xc4", 1))) << "begins in the middle";
  EXPECT_TRUE(refused(std::string("\x04\x00\x00\x00\xff\xff\xff\x09\x01\x00\x00\x00", 12)))
      << "16 MB";
  EXPECT_TRUE(
      refused(std::string("\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00", 16)))
      << "chunks of no bytes";
  std::string many;
  for (std::size_t i = 0; i <= ChunkReader::streams_max; ++i) {
    many += std::string("\x00", 1) + static_cast<char>(i) +
            std::string(
                "\x00\x00\x00\x00\x00\x01\x09\x01\x00\x00\x00"
                "a",
                12);
  }
  EXPECT_TRUE(refused(many)) << "too many streams";
}

}  // namespace
}  // namespace relay::origin::live::rtmp
