// Tiny clips made by the ffmpeg command, and what a player would show of a recorded track.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"
#include "tests/transcoder/recording_sink.hpp"
#include "transcoder/boxes.hpp"
#include "transcoder/init.hpp"
#include "transcoder/pipeline.hpp"

namespace relay::transcoder {

/// Runs the ffmpeg command; the last argument is the file that it makes.
inline bool ffmpeg(const std::string& arguments) {
  return std::system(("ffmpeg -nostdin -v error -y " + arguments).c_str()) == 0;
}

inline std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t got; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.append(buffer, got);
  pclose(pipe);
  return output;
}

inline Result<media::JobResult> run(const std::string& file, RecordingSink& sink,
                                    const Encoding& encoding = {}) {
  int fd = open(file.c_str(), O_RDONLY);
  auto result = run_video(encoding, SourceLimits{}, fd, sink);
  close(fd);
  return result;
}

inline Encoding no_passthrough() {
  Encoding encoding;
  encoding.passthrough = false;
  return encoding;
}

/// The track as a file that players take.
inline std::string write_track(const RecordingSink& sink, const std::string& name,
                               const tests::TemporaryFolder& dir) {
  std::string path = dir / ("out-" + name + ".mp4");
  std::ofstream file(path, std::ios::binary);
  file << build_init(sink.tracks.at(name)).value();
  for (const Segment& segment : sink.segments.at(name))
    file << build_segment(sink.tracks.at(name), segment).value().bytes;
  return path;
}

/// One byte a frame: how bright it is; or with `columns` × `rows`, so many bytes a frame.
inline std::vector<int> brightness(const std::string& file, int columns = 1, int rows = 1) {
  std::string bytes = output_of(
      "ffmpeg -nostdin -v error -i " + file + " -vf scale=" + std::to_string(columns) + ":" +
      std::to_string(rows) + ":flags=area,format=gray -vsync passthrough -f rawvideo -");
  std::vector<int> result;
  for (unsigned char byte : bytes) result.push_back(byte);
  return result;
}

/// The middle of the energy of the sound, in seconds from its first sample.
inline double middle_of_sound(const std::string& file) {
  std::string bytes =
      output_of("ffmpeg -nostdin -v error -i " + file + " -ac 1 -ar 48000 -f s16le -");
  double energy = 0, moment = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    double level = static_cast<std::int16_t>(static_cast<unsigned char>(bytes[i]) |
                                             static_cast<unsigned char>(bytes[i + 1]) << 8);
    energy += level * level;
    moment += level * level * static_cast<double>(i / 2);
  }
  return energy > 0 ? moment / energy / 48000 : -1;
}

}  // namespace relay::transcoder
