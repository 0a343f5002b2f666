/* json: what is refused beyond cJSON, and the accessors on wrong types. */
#include "base/json.h"

#include "base/buf.h"
#include "tests/tap.h"
#include "tests/unit/shared-data.h"

static int parse(const char *text, unsigned flags, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;

        return json_parse(text, strlen(text), flags, &json, err);
}

static void refused(const char *text, const char *want) {
        Error err = ERROR_EMPTY;

        is_number(parse(text, 0, &err), -EINVAL, text);
        is_text(err.text, want, "with place and reason");
}

static void grammar(void) {
        refused("", "line 1, column 1: the text ends too early");
        refused("{\"a\": 01}", "line 1, column 8: a number has no leading zero");
        refused("[1.]", "line 1, column 4: a digit must follow the point");
        refused("[-]", "line 1, column 3: a number needs a digit here");
        refused("[1,]", "line 1, column 4: a value was expected");
        refused("{\"a\":1,}", "line 1, column 8: a name in double quotes was expected");
        refused("{\n  \"a\" 1}", "line 2, column 7: a colon was expected");
        refused("[1 2]", "line 1, column 4: a comma or the closing bracket was expected");
        refused("{} x", "line 1, column 4: bytes after the value");
        refused("nul", "line 1, column 1: a value was expected");
        refused("[1}", "line 1, column 3: a comma or the closing bracket was expected");
}

static void strings(void) {
        refused("\"a\nb\"", "line 1, column 3: a control character in a string must be escaped");
        refused("\"\\x\"", "line 1, column 3: an unknown escape in a string");
        refused("\"\\u00zz\"", "line 1, column 6: \\u needs four hexadecimal digits");
        refused("\"\\u0000\"", "line 1, column 8: \\u0000 is not accepted");
        refused("\"\\ud800x\"", "line 1, column 8: a high surrogate without its low one");
        refused("\"\\udc00\"", "line 1, column 8: a low surrogate without its high one");
        refused("\"\xff\"", "line 1, column 2: bytes that are not UTF-8");
        refused("\"abc", "line 1, column 5: the text ends too early");
}

static void tree(void) {
        refused("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", "the name \"c\" stands twice in an object");
        refused("{\"a\":1,\"\\u0061\":2}", "the name \"a\" stands twice in an object");
        refused("[1e999]", "a number is too large");
}

static void nul_in_the_text(void) {
        SCOPED(json_free) cJSON *json = NULL;

        is_number(json_parse("[1]\0]", 5, 0, &json, NULL), -EINVAL, "a NUL behind the value");
        is_number(json_parse("\"a\0b\"", 5, 0, &json, NULL), -EINVAL, "a NUL in a string");
        ok(!json, "no output then");
}

static void depth(void) {
        char text[2 * (JSON_DEPTH_MAX + 1) + 1];

        memset(text, '[', JSON_DEPTH_MAX + 1);
        memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
        text[sizeof(text) - 1] = 0;
        is_number(parse(text, 0, NULL), -EINVAL, "one level too deep");
        text[sizeof(text) - 2] = 0;
        is_number(parse(text + 1, 0, NULL), 0, "the deepest that is taken");
}

static void comments(void) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *text = "// first\n{\"a\": /* in */ \"//\\\"/*\", /**/ \"b\": 2 } // last";
        Error err = ERROR_EMPTY;

        is_number(parse(text, 0, NULL), -EINVAL, "no comments unless they are allowed");
        is_number(parse("[1] /* open", JSON_COMMENTS, &err), -EINVAL, "one that does not end");
        is_text(err.text, "line 1, column 5: a comment that does not end", "is named");
        is_number(parse("[1] /", JSON_COMMENTS, NULL), -EINVAL, "a lone slash");
        is_number(parse("[1 /*/ ]", JSON_COMMENTS, NULL), -EINVAL, "/*/ opens only");
        is_number(parse("/*\n*/ x", JSON_COMMENTS, &err), -EINVAL, "a fault behind a comment");
        has_text(err.text, "line 2, column 4", "has the place in the file");
        is_number(json_parse(text, strlen(text), JSON_COMMENTS, &json, NULL), 0, "allowed");
        is_text(json_text(json, "a"), "//\"/*", "a string keeps what looks like one");
}

static void wrong_types(void) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *text = "{\"n\":-1,\"f\":1.5,\"big\":9007199254740994,\"max\":9007199254740992,"
                           "\"s\":\"x\",\"l\":[10,[20]],\"a/b\":{\"~\":true},\"z\":0}";
        uint64_t value = 7;

        (void) json_parse(text, strlen(text), 0, &json, NULL);
        is_number(json_number(json, "none", &value), -ENOENT, "an absent number");
        is_number(json_number(json, "s", &value), -EINVAL, "a string is no number");
        is_number(json_number(json, "n", &value), -EINVAL, "a negative one");
        is_number(json_number(json, "f", &value), -EINVAL, "a fraction");
        is_number(json_number(json, "big", &value), -EINVAL, "above 2^53");
        is_number(value, 7, "no output then");
        is_number(json_number(json, "max", &value), 0, "2^53");
        ok(value == 1ULL << 53, "is exact");
        ok(!json_text(json, "n") && !json_text(json, "none"), "a number is no text");
        ok(!json_get(json_get(json, "l"), "0"), "a list has no names");
        ok(!json_true(json, "s") && !json_true(json, "none"), "a string is not true");
        ok(!json_get(json, "S"), "names are case-sensitive");
        is_number(json_number(json_at(json, ""), "z", &value), 0, "the pointer to the whole");
        ok(json_at(json, "/l/1/0") && json_at(json, "/l/1/0")->valueint == 20, "/l/1/0");
        ok(cJSON_IsTrue(json_at(json, "/a~1b/~0")), "/a~1b/~0");
        ok(!json_at(json, "/l/2") && !json_at(json, "/l/01") && !json_at(json, "/l/-1"),
           "no index");
        ok(!json_at(json, "l") && !json_at(json, "/l/") && !json_at(NULL, "/l"), "no pointer");
}

static void building(void) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *list = json_add_array(json, "l");
        autofree char *text = NULL;

        ok(!json_add_text(NULL, "x", "y"), "nothing to add to");
        ok(!json_add_consume(NULL, "x", cJSON_CreateNull()), "what cannot be added is freed");
        ok(!json_push_text(json_add_array(NULL, "x"), "y"), "a chain passes it on");
        (void) json_add_text(json, "t", "a\xff\xc3\xbc\033");
        (void) json_add_text(json, "null", NULL);
        (void) json_add_number(json, "n", 1ULL << 53);
        (void) json_add_bool(json_add_object(json, "o"), "b", true);
        (void) json_push_text(list, "x");
        (void) json_push_consume(list, cJSON_CreateNumber(1));
        text = json_print(json);
        is_text(text,
                "{\"l\":[\"x\",1],\"t\":\"a\\\\xff\xc3\xbc\\u001b\",\"null\":null,"
                "\"n\":9007199254740992,\"o\":{\"b\":true}}",
                "one line, invalid bytes escaped");
}

/* An object of a peer with very many names must not cost the square of them. */
static void many_names(void) {
        autobuf Buf text = BUF_EMPTY(1 << 22);
        unsigned i;

        (void) buf_printf(&text, "{\"x\":0");
        for (i = 0; i < 100000; i++)
                (void) buf_printf(&text, ",\"n%u\":0", i);
        (void) buf_printf(&text, "}");
        is_number(parse(text.data, 0, NULL), 0, "a hundred thousand names");
}

/* Accepted by the RFC, refused here on purpose: json.h says so. */
static bool is_refused_on_purpose(const char *name) {
        static const char *const names[] = { "y_object_duplicated_key.json",
                                             "y_object_duplicated_key_and_value.json",
                                             "y_object_escaped_null_in_key.json",
                                             "y_string_null_escape.json" };
        size_t i;

        for (i = 0; i < ELEMENTS(names); i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

static bool suite_file(const char *directory, const char *name) {
        SCOPED(json_free) cJSON *json = NULL;
        autofree char *text = NULL;
        Error err = ERROR_EMPTY;
        size_t n = 0;
        int r;

        if (!ok(shared_read(directory, name, &text, &n) == 0, "read %s", name))
                return false;
        r = json_parse(text, n, 0, &json, &err);
        if (name[0] == 'y')
                return ok(is_refused_on_purpose(name) ? r == -EINVAL : r == 0, "%s %s", name,
                          err.text);
        if (name[0] == 'n')
                return ok(r == -EINVAL, "%s", name);
        return ok(r == 0 || r == -EINVAL, "%s: %s", name, r ? "refused" : "accepted");
}

static void parse_suite(void) {
        char path[1024];
        DIR *directory = opendir(shared_path("json-parse-suite/test_parsing", path, sizeof(path)));
        struct dirent *entry;
        unsigned n = 0;

        if (!directory) {
                tap_skip("the JSON parsing suite", "no json-parse-suite below WARDER_SHARED_DATA");
                return;
        }
        while ((entry = readdir(directory)))
                if (strchr("yni", entry->d_name[0]) && entry->d_name[1] == '_') {
                        (void) suite_file(path, entry->d_name);
                        n++;
                }
        (void) closedir(directory);
        ok(n > 300, "%u files of the suite were seen", n);
}

int main(void) {
        grammar();
        strings();
        tree();
        nul_in_the_text();
        depth();
        comments();
        wrong_types();
        building();
        many_names();
        parse_suite();
        return tap_end();
}
