// What an answer to an unsafe method makes invalid.
#include "edge/invalidation.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using Fields = std::vector<http::Field>;
using Keys = std::vector<std::string>;

const Fields host = {{"Host", "a.example"}};

http::RequestHead post() {
  http::RequestHead request;
  request.method = "POST";
  request.target = "/dir/item?x";
  request.fields = host;
  return request;
}

TEST(Invalidation, by_unsafe_methods_that_succeed) {
  struct {
    std::string_view method;
    int status;
    bool yes;
  } cases[] = {{"POST", 200, true},     {"PUT", 201, true},   {"DELETE", 204, true},
               {"POST", 303, true},     {"POST", 404, false}, {"M-SEARCH", 200, true},
               {"GET", 200, false},     {"HEAD", 200, false}, {"OPTIONS", 200, false},
               {"M-SEARCH", 500, false}};
  for (const auto& c : cases) EXPECT_EQ(invalidates(c.method, c.status), c.yes) << c.method;
}

TEST(Invalidation, of_the_target_and_of_what_the_answer_names_on_the_same_host) {
  EXPECT_EQ(invalidated_keys(post(), {}, false), (Keys{"/dir/item?x"}));
  Fields response = {{"Location", "new"}, {"Content-Location", "http://A.example/other/../x"}};
  EXPECT_EQ(invalidated_keys(post(), response, false), (Keys{"/dir/item?x", "/dir/new", "/x"}));
  EXPECT_EQ(invalidated_keys(post(), response, true),
            (Keys{"a.example/dir/item?x", "a.example/dir/new", "a.example/x"}));
  Fields elsewhere = {{"Location", "http://b.example/x"}, {"Content-Location", "/../up"}};
  EXPECT_EQ(invalidated_keys(post(), elsewhere, false), (Keys{"/dir/item?x"}));
  EXPECT_EQ(invalidated_keys(post(), Fields{{"Location", "item?x"}}, false), (Keys{"/dir/item?x"}));
}

TEST(Invalidation, a_content_location_that_is_the_target_says_what_the_body_is) {
  EXPECT_TRUE(names_target(post(), Fields{{"Content-Location", "/dir/item?x"}}, false));
  EXPECT_TRUE(
      names_target(post(), Fields{{"Content-Location", "http://a.example/dir/item?x"}}, true));
  EXPECT_FALSE(names_target(post(), Fields{{"Content-Location", "/dir/item"}}, false));
  EXPECT_FALSE(
      names_target(post(), Fields{{"Content-Location", "http://b.example/dir/item?x"}}, false));
  EXPECT_FALSE(names_target(post(), {}, false));
}

}  // namespace
}  // namespace relay::edge
