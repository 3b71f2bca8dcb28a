#include "common/media/job.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

TEST(Job, SurvivesJson) {
  Job job{.kind = JobKind::photo,
          .tenant = "demo",
          .asset = "final \"100m\"",
          .version = "v1",
          .source_bytes = 1ull << 40,
          .attempt = 3,
          .published = {{"v720", "#EXTM3U\n", {100, 1ull << 33}, {"24 50 0", ""}},
                        {"audio", "#EXTM3U\n", {}}},
          .multivariant = "#EXTM3U\n#EXT-X-VERSION:7\n"};
  auto read = job_from_json(to_json(job));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->kind, JobKind::photo);
  EXPECT_EQ(read->tenant, "demo");
  EXPECT_EQ(read->asset, "final \"100m\"");
  EXPECT_EQ(read->version, "v1");
  EXPECT_EQ(read->source_bytes, 1ull << 40);
  EXPECT_EQ(read->attempt, 3);
  EXPECT_EQ(read->multivariant, "#EXTM3U\n#EXT-X-VERSION:7\n");
  ASSERT_EQ(read->published.size(), 2u);
  EXPECT_EQ(read->published[0].name, "v720");
  EXPECT_EQ(read->published[0].playlist, "#EXTM3U\n");
  EXPECT_EQ(read->published[0].segment_bytes, (std::vector<std::uint64_t>{100, 1ull << 33}));
  EXPECT_EQ(read->published[0].segment_keys, (std::vector<std::string>{"24 50 0", ""}));
  EXPECT_TRUE(read->published[1].segment_bytes.empty());
}

TEST(Job, TheEdgesOfAClipSurviveJson) {
  EdgePiece first{edge_at_beginning, 10, 1ull << 33, 1'500'000, {}, 1'700'000'000'000'000};
  EdgePiece last{edge_at_end, 20, 30, 0, 2'000'000};
  Job job{.kind = JobKind::edges, .tenant = "t", .asset = "a", .version = "v"};
  job.edges = EdgeJob{true, {{"v720", true, 4'000'000, {first, last}}, {"audio", false, 0, {}}}};
  auto read = job_from_json(to_json(job));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(read->edges);
  EXPECT_TRUE(read->edges->live);
  ASSERT_EQ(read->edges->renditions.size(), 2u);
  EXPECT_FALSE(read->edges->renditions[1].picture);
  const EdgeRendition& picture = read->edges->renditions[0];
  EXPECT_EQ(picture.name, "v720");
  EXPECT_TRUE(picture.picture);
  EXPECT_EQ(picture.bit_s_max, 4'000'000);
  EXPECT_EQ(picture.pieces, (std::vector<EdgePiece>{first, last}));
}

TEST(Job, AcceptsTheShortestForm) {
  auto job = job_from_json(R"({"kind":"video","tenant":"t","asset":"a","version":"v","later":1})");
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(job->kind, JobKind::video);
  EXPECT_EQ(job->attempt, 1);
  EXPECT_TRUE(job->published.empty());
}

TEST(Job, SaysWhatIsWrong) {
  struct Row {
    const char* json;
    const char* message;
  } rows[] = {
      {R"([])", "job: must be an object"},
      {R"({"kind":"film","tenant":"t","asset":"a","version":"v"})",
       R"(job: 'kind' must be "video", "photo", "live" or "edges")"},
      {R"({"kind":"edges","tenant":"t","asset":"a","version":"v"})",
       "job: 'edges' must be there for kind edges, and only for it"},
      {R"({"kind":"video","tenant":"t","asset":"a","version":"v","edges":{}})",
       "job: 'edges' must be there for kind edges, and only for it"},
      {R"({"kind":"edges","tenant":"t","asset":"a","version":"v","edges":{"renditions":[{}]}})",
       "job.edges.rendition: 'name' must be a name"},
      {R"({"kind":"video","asset":"a","version":"v"})", "job: 'tenant' must be a name"},
      {R"({"kind":"video","tenant":7,"asset":"a","version":"v"})", "job: 'tenant' must be a text"},
      {R"({"kind":"video","tenant":"t","asset":"a","version":"v","attempt":1.5})",
       "job: 'attempt' must be a whole number"},
      {R"({"kind":"video","tenant":"t","asset":"a","version":"v","source_bytes":-1})",
       "job: 'source_bytes' must be a whole number"},
      {R"({"kind":"video","tenant":"t","asset":"a","version":"v","published":[3]})",
       "job: 'published' must hold objects"},
      {R"({"kind":"video","tenant":"t","asset":"a","version":"v","published":[{"name":3}]})",
       "job.published: 'name' must be a text"},
  };
  for (const Row& row : rows) {
    auto job = job_from_json(row.json);
    ASSERT_FALSE(job) << row.json;
    EXPECT_EQ(job.error().message, row.message);
    EXPECT_EQ(job.error().kind, ErrorKind::invalid);
  }
  EXPECT_TRUE(job_from_json("{").error().message.starts_with("job: not JSON"));
}

TEST(Progress, SurvivesJsonAndStaysBetweenNothingAndAll) {
  auto read = progress_from_json(to_json(Progress{0.25, "encoding"}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->fraction, 0.25);
  EXPECT_EQ(read->stage, "encoding");
  EXPECT_TRUE(progress_from_json(R"({"fraction":1,"stage":"x"})"));
  EXPECT_FALSE(progress_from_json(R"({"fraction":1.01})"));
  EXPECT_FALSE(progress_from_json(R"({"fraction":-0.1})"));
  EXPECT_FALSE(progress_from_json(R"({"fraction":"half"})"));
}

TEST(JobResult, SurvivesJson) {
  JobResult ready{.ready = true,
                  .duration_ms = 61'000,
                  .width = 1080,
                  .height = 1920,
                  .photo_widths = {320, 640},
                  .edge_begin_us = 480'000,
                  .warnings = {"the file ends early", "3 of 9 pictures are damaged"}};
  auto read = result_from_json(to_json(ready));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->ready);
  EXPECT_FALSE(read->retry);
  EXPECT_EQ(read->duration_ms, 61'000);
  EXPECT_EQ(read->width, 1080);
  EXPECT_EQ(read->height, 1920);
  EXPECT_EQ(read->photo_widths, (std::vector<int>{320, 640}));
  EXPECT_EQ(read->edge_begin_us, 480'000);
  EXPECT_EQ(read->warnings, ready.warnings);

  auto failed = result_from_json(R"({"ready":false,"retry":true,"reason":"the disk is full"})");
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->retry);
  EXPECT_EQ(failed->reason, "the disk is full");
}

TEST(JobResult, AFailureHasAReason) {
  EXPECT_EQ(result_from_json(R"({"ready":false})").error().message,
            "result: 'reason' must be given when the result is not ready");
  EXPECT_EQ(result_from_json(R"({"ready":true,"edge_begin_us":-1})").error().message,
            "result: 'edge_begin_us' must be 0 or more");
}

TEST(JobResult, WarningsAreBounded) {
  JobResult result{.ready = true};
  result.warnings.assign(warnings_max, std::string(warning_bytes_max, 'x'));
  EXPECT_TRUE(result_from_json(to_json(result)));
  result.warnings.back() += 'x';
  EXPECT_EQ(result_from_json(to_json(result)).error().message,
            "result: 'warnings' must be at most 8 texts of at most 200 bytes");
  result.warnings.assign(warnings_max + 1, "x");
  EXPECT_FALSE(result_from_json(to_json(result)));
}

}  // namespace
}  // namespace relay::media
