#include "common/base/settings.hpp"

#include <gtest/gtest.h>

#include "common/base/spelling.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay {
namespace {

using std::chrono::milliseconds;

struct Address {
  std::string host = "localhost";
  std::int64_t port = 80;
};

struct Member {
  std::string name;
  double weight = 1.0;
  std::vector<Address> addresses;
};

struct Sample {
  std::string name = "edge-1";
  std::string mode = "fast";
  bool quiet = false;
  std::int64_t threads = 0;
  std::uint64_t size = 1 << 20;
  milliseconds wait{1500};
  std::vector<std::string> listen = {"a", "b"};
  bool has_fleet = false;
  std::vector<Member> members;
};

void describe_address(Schema& schema, Address& into) {
  schema.text("host", into.host, "where");
  schema.count("port", into.port, "which", {1, 65535});
}

void describe_member(Schema& schema, Member& into) {
  schema.text("name", into.name, "who");
  schema.number("weight", into.weight, "how much", {0.1, 10});
  schema.tables<Address>("address", into.addresses, describe_address, "more of them");
  if (into.name == "nobody") schema.reject("name", "is nobody");
}

void describe(Schema& schema, Sample& into) {
  schema.text("edge.name", into.name, "what peers call it");
  schema.text("edge.mode", into.mode, "how", {"fast", "slow"});
  schema.flag("edge.quiet", into.quiet, "say less");
  schema.count("edge.threads", into.threads, "0: one a core", {0, 256});
  schema.bytes("cache.size", into.size, "bytes on disk", {4096, 1ll << 40});
  schema.duration("cache.wait", into.wait, "patience", {1, 60'000});
  schema.texts("edge.listen", into.listen, "addresses");
  into.has_fleet = schema.has("fleet");
  schema.tables<Member>("fleet.members", into.members, describe_member, "the ring");
  if (into.threads == 13) schema.reject("edge.threads", "brings bad luck");
  if (into.threads == 14) schema.reject("cache.size", "is missing");
}

Result<Sample> parse(std::string_view text) {
  return parse_settings<Sample>(text, "x.toml", describe);
}

TEST(Settings, AnEmptyFileIsTheDefaults) {
  auto sample = parse("");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->name, "edge-1");
  EXPECT_EQ(sample->listen, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(sample->wait, milliseconds(1500));
  EXPECT_FALSE(sample->has_fleet);
}

TEST(Settings, ReadsEveryKindOfValue) {
  auto sample = parse(R"(
cache = { size = "2MiB", wait = "10s" }
[edge]
name = "e"
mode = "slow"
quiet = true
threads = 4
listen = []
[[fleet.members]]
name = "one"
weight = 2
address = [ { host = "h1", port = 1 }, { port = 2 } ]
[[fleet.members]]
name = "two"
[[fleet.members.address]]
host = "h3"
)");
  ASSERT_TRUE(sample) << sample.error().message;
  EXPECT_EQ(sample->name, "e");
  EXPECT_EQ(sample->mode, "slow");
  EXPECT_TRUE(sample->quiet);
  EXPECT_EQ(sample->threads, 4);
  EXPECT_EQ(sample->size, 2u << 20);
  EXPECT_EQ(sample->wait, milliseconds(10'000));
  EXPECT_TRUE(sample->listen.empty());
  EXPECT_TRUE(sample->has_fleet);
  ASSERT_EQ(sample->members.size(), 2u);
  EXPECT_EQ(sample->members[0].weight, 2.0);
  ASSERT_EQ(sample->members[0].addresses.size(), 2u);
  EXPECT_EQ(sample->members[0].addresses[1].host, "localhost");
  EXPECT_EQ(sample->members[0].addresses[1].port, 2);
  ASSERT_EQ(sample->members[1].addresses.size(), 1u);
  EXPECT_EQ(sample->members[1].addresses[0].host, "h3");
}

struct Wrong {
  std::string_view text, message;
};

TEST(Settings, ErrorsNamePlaceFaultAndWhatIsAllowed) {
  const Wrong table[] = {
      {"[edge]\nthreads = 999\n",
       "x.toml:2:11: edge.threads is 999; allowed are whole numbers from 0 to 256"},
      {"[edge]\nthreads = 1.0\n",
       "x.toml:2:11: edge.threads is a number; it must be a whole number"},
      {"[edge]\nname = 7\n",
       "x.toml:2:8: edge.name is a whole number; it must be a text in quotes"},
      {"[edge]\nmode = \"x\\n\"\n",
       "x.toml:2:8: edge.mode is \"x\\u000a\"; allowed are \"fast\", \"slow\""},
      {"[edge]\nquiet = 1\n", "x.toml:2:9: edge.quiet is a whole number; it must be true or false"},
      {"[edge]\nlisten = [\"a\", 3]\n",
       "x.toml:2:16: edge.listen[] is a whole number; it must be a text in quotes"},
      {"[cache]\nsize = \"2 GiB\"\n",
       "x.toml:2:8: cache.size is \"2 GiB\"; write a whole number and a unit, as in \"512MiB\" "
       "(B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)"},
      {"[cache]\nsize = 1\n", "x.toml:2:8: cache.size is 1B; allowed are sizes from 4KiB to 1TiB"},
      {"[cache]\nwait = 5\n",
       "x.toml:2:8: cache.wait is a whole number; it must be a duration such as \"10s\""},
      {"[cache]\nwait = \"2m\"\n",
       "x.toml:2:8: cache.wait is \"2m\"; allowed are durations from 1ms to 1m"},
      {"[edge]\nthread = 1\n", "x.toml:2:1: unknown key edge.thread; did you mean edge.threads?"},
      {"threads = 1\n", "x.toml:1:1: unknown key threads; did you mean edge.threads?"},
      {"[egde]\n", "x.toml:1:2: unknown key egde; did you mean edge?"},
      {"[edge]\ncompletely_different = 1\n", "x.toml:2:1: unknown key edge.completely_different"},
      {"edge = 3\n", "x.toml:1:8: edge is a whole number; it must be a table"},
      {"[fleet]\nmembers = [ { name = \"a\", wieght = 1 } ]\n",
       "x.toml:2:27: unknown key fleet.members[].wieght; did you mean fleet.members[].weight?"},
      {"[fleet]\nmembers = [ { weight = 11 } ]\n",
       "x.toml:2:24: fleet.members[].weight is 11; allowed are numbers from 0.1 to 10"},
      {"[fleet]\nmembers = [ { weight = nan } ]\n",
       "x.toml:2:24: fleet.members[].weight is nan; allowed are numbers from 0.1 to 10"},
      {"[fleet]\nmembers = [ 3 ]\n",
       "x.toml:2:13: fleet.members[] is a whole number; it must be a table"},
      {"[fleet.members]\nname = \"a\"\n",
       "x.toml:1:1: fleet.members is a table; it must be an array of tables: [[fleet.members]]"},
      {"[[fleet.members]]\n[[fleet.members.address]]\nport = 0\n",
       "x.toml:3:8: fleet.members[].address[].port is 0; allowed are whole numbers from 1 to "
       "65535"},
      {"[[fleet.members]]\nname = \"nobody\"\n", "x.toml:2:8: fleet.members[].name is nobody"},
      {"[edge]\nthreads = 13\n", "x.toml:2:11: edge.threads brings bad luck"},
      {"[edge]\nthreads = 14\n[cache]\nwait = \"1s\"\n", "x.toml:3:1: cache.size is missing"},
  };
  for (const Wrong& wrong : table) {
    auto sample = parse(wrong.text);
    ASSERT_FALSE(sample) << wrong.text;
    EXPECT_EQ(sample.error().message, wrong.message) << wrong.text;
    EXPECT_EQ(sample.error().kind, ErrorKind::invalid);
  }
}

TEST(Settings, TheFirstErrorOfTheFileIsReported) {
  auto sample = parse("[cache]\nwiat = 1\n[edge]\nname = 1\nmode = 2\n");
  ASSERT_FALSE(sample);
  EXPECT_EQ(sample.error().message, "x.toml:2:1: unknown key cache.wiat; did you mean cache.wait?");
}

TEST(Settings, BrokenTomlHasAPlaceToo) {
  auto sample = parse("[edge]\nname = \n");
  ASSERT_FALSE(sample);
  EXPECT_TRUE(sample.error().message.starts_with("x.toml:2:")) << sample.error().message;
  auto name = parse("[&edge]\n");
  ASSERT_FALSE(name);
  EXPECT_TRUE(name.error().message.starts_with("x.toml:1:2:")) << name.error().message;
  EXPECT_FALSE(parse("[edge]\nname = \"a\"\nname = \"b\"\n"));
}

TEST(Settings, DocumentsEveryKeyWithDefaultAndComment) {
  auto docs = document_settings<Sample>(describe);
  std::string text;
  for (const KeyDoc& doc : docs)
    text += doc.key + "|" + doc.default_value + "|" + doc.comment + "\n";
  EXPECT_EQ(text,
            "edge.name|\"edge-1\"|what peers call it\n"
            "edge.mode|\"fast\"|how\n"
            "edge.quiet|false|say less\n"
            "edge.threads|0|0: one a core\n"
            "cache.size|\"1MiB\"|bytes on disk\n"
            "cache.wait|\"1500ms\"|patience\n"
            "edge.listen|[\"a\", \"b\"]|addresses\n"
            "fleet.members|[]|the ring\n"
            "fleet.members[].name|\"\"|who\n"
            "fleet.members[].weight|1.0|how much\n"
            "fleet.members[].address|[]|more of them\n"
            "fleet.members[].address[].host|\"localhost\"|where\n"
            "fleet.members[].address[].port|80|which\n");
}

TEST(Settings, DocumentsTheTablesOfAnArrayAsItsValue) {
  Sample sample;
  sample.members = {{"one", 2, {{"h", 1}, {"i", 2}}}, {"two", 0.5, {}}};
  auto docs = document_settings<Sample>(describe, sample);
  ASSERT_EQ(docs.size(), 13u);
  EXPECT_EQ(docs[7].key, "fleet.members");
  EXPECT_EQ(docs[7].default_value,
            "[{ name = \"one\", weight = 2.0, address = [{ host = \"h\", port = 1 }, "
            "{ host = \"i\", port = 2 }] }, { name = \"two\", weight = 0.5, address = [] }]");
  EXPECT_EQ(docs[8].default_value, "\"\"");
}

TEST(Settings, ReadsAFileAndSaysWhenItCannot) {
  tests::TemporaryFolder folder;
  std::string path = (folder / "s.toml").string();
  auto missing = load_settings<Sample>(path, describe);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, path + ": cannot be read: No such file or directory");
  EXPECT_FALSE(load_settings<Sample>(folder.path().string(), describe));
  FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_TRUE(file);
  std::fputs("[edge]\nthreads = 3\n", file);
  std::fclose(file);
  auto sample = load_settings<Sample>(path, describe);
  ASSERT_TRUE(sample) << sample.error().message;
  EXPECT_EQ(sample->threads, 3);
}

TEST(Spelling, FindsTheNearestNameOrNone) {
  std::vector<std::string> known = {"edge.name", "edge.threads", "cache.size"};
  EXPECT_EQ(nearest_name("edge.nmae", known), "edge.name");
  EXPECT_EQ(nearest_name("size", known), "cache.size");
  EXPECT_EQ(nearest_name("edge.unrelated", known), "");
  EXPECT_EQ(nearest_name(std::string(10'000, 'x'), known), "");
}

}  // namespace
}  // namespace relay
