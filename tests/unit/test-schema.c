/* schema: faults are named with their place; hostile schemas and values end. */
#include "base/schema.h"

#include "base/buf.h"
#include "tests/tap.h"
#include "tests/unit/shared-data.h"

static cJSON *tree(const char *text) {
        cJSON *json = NULL;
        Error err = ERROR_EMPTY;

        if (json_parse(text, strlen(text), 0, &json, &err) < 0)
                printf("# %s: %s\n", text, err.text);
        return json;
}

static int check(const char *schema_text, const char *value_text, SchemaFault *fault) {
        SCOPED(json_free) cJSON *schema = tree(schema_text);
        SCOPED(json_free) cJSON *value = tree(value_text);

        return schema_check(schema, value, fault);
}

static void fault_is(const char *schema, const char *value, const char *path, const char *text) {
        SchemaFault fault = { .path = "unset" };

        is_number(check(schema, value, &fault), -EINVAL, value);
        is_text(fault.path, path, "at its place");
        is_text(fault.text, text, "with its reason");
}

static void faults_are_named(void) {
        fault_is("{\"type\":\"object\"}", "[]", "", "array where object was expected");
        fault_is("{\"type\":[\"string\",\"null\"]}", "1", "",
                 "number where string or null was expected");
        fault_is("{\"required\":[\"a\"]}", "{}", "", "the field \"a\" is missing");
        fault_is("{\"properties\":{\"a/b\":{\"items\":{\"type\":\"integer\"}}}}",
                 "{\"a/b\":[1,1.5]}", "/a~1b/1", "number where integer was expected");
        fault_is("{\"properties\":{\"a\":true},\"additionalProperties\":false}",
                 "{\"a\":1,\"c\":2}", "/c", "unknown field \"c\"");
        fault_is("{\"enum\":[\"x\",2]}", "\"y\"", "", "\"y\" is none of \"x\", 2");
        fault_is("{\"minimum\":3}", "2", "", "must be 3 or more");
        fault_is("{\"pattern\":\"^a+$\"}", "\"b\"", "", "must match ^a+$");
        fault_is("{\"pattern\":\"^a+$\",\"description\":\"letters\"}", "\"b\"", "",
                 "must match ^a+$: letters");
        fault_is("{\"anyOf\":[{\"type\":\"null\"},{\"required\":[\"k\"]}]}", "{}", "",
                 "fits none of the 2 forms; of the last: the field \"k\" is missing");
        fault_is("{\"oneOf\":[true,true]}", "1", "",
                 "fits 2 of the forms where exactly one was expected");
}

/* Who knows the unit of a number tells the range in words of its own */
static void ranges_are_given(void) {
        SCOPED(json_free)
        cJSON *schema = tree(
                "{\"properties\":{\"a\":{\"minimum\":3,\"maximum\":9},\"b\":{\"maxLength\":1}}}");
        SCOPED(json_free) cJSON *low = tree("{\"a\":2}"), *high = tree("{\"a\":10}");
        SCOPED(json_free) cJSON *other = tree("{\"b\":\"xy\"}");
        SchemaFault fault = { .range = schema };
        const cJSON *range = json_at(schema, "/properties/a");

        ok(schema_check(schema, other, &fault) == -EINVAL && !fault.range, "no number, no range");
        ok(schema_check(schema, low, &fault) == -EINVAL && fault.range == range,
           "too little: the range");
        fault.range = NULL;
        ok(schema_check(schema, high, &fault) == -EINVAL && fault.range == range, "too much");
}

static void broken(const char *schema, const char *value) {
        is_number(check(schema, value, NULL), -ENOTSUP, schema);
}

static void wrong_schemas(void) {
        broken("1", "1");
        broken("{\"type\":1}", "1");
        broken("{\"minimum\":\"3\"}", "1");
        broken("{\"properties\":[]}", "{}");
        broken("{\"$ref\":\"http://example.org/x\"}", "1");
        broken("{\"$ref\":\"#/$defs/none\"}", "1");
        broken("{\"anyOf\":[{\"$ref\":\"other.json\"}]}", "1");
        broken("{\"pattern\":\"(a)\\\\1\"}", "\"aa\"");
        broken("{\"pattern\":\"(?=a)\"}", "\"a\"");
        broken("{\"pattern\":\"((a{99}){99}){99}\"}", "\"a\"");
        broken("{\"pattern\":\"(((a{9}){9}b){9}c){9}\"}", "\"a\"");
        broken("{\"pattern\":\"a{9}{9}{9}{9}\"}", "\"a\"");
        broken("{\"pattern\":\"a++\"}", "\"a\"");
        broken("{\"pattern\":\"((((((((((a+)+)+)+)+)+)+)+)+)+)+\"}", "\"a\"");
        broken("{\"pattern\":\"a{2\"}", "\"a\"");
        broken("{\"pattern\":\"a{,9}\"}", "\"a\"");
        broken("{\"pattern\":\"[\"}", "\"a\"");
        broken("{\"multipleOf\":0}", "1");
}

static void endless_schemas_end(void) {
        broken("{\"$ref\":\"#\"}", "1");
        broken("{\"allOf\":[{\"$ref\":\"#/allOf/0\"}]}", "1");
        broken("{\"not\":{\"$ref\":\"#\"}}", "1");
}

/* Two branches at each of many levels: 2^40 checks, were the work not counted. */
static void exponential_schema_ends(void) {
        autobuf Buf text = BUF_EMPTY(65536);
        SchemaFault fault = { .path = "" };
        int i;

        (void) buf_printf(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{\"d40\":{\"const\":0}");
        for (i = 0; i < 40; i++)
                (void) buf_printf(&text,
                                  ",\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},"
                                  "{\"$ref\":\"#/$defs/d%d\"}]}",
                                  i, i + 1, i + 1);
        (void) buf_printf(&text, "}}");
        ok(check(text.data, "1", &fault) < 0, "an exponential schema ends");
        has_text(fault.text, "too large to be checked", "with its reason");
}

static void large_unique_list_ends(void) {
        autobuf Buf text = BUF_EMPTY(1 << 20);
        int i;

        (void) buf_printf(&text, "[0");
        for (i = 1; i < 50000; i++)
                (void) buf_printf(&text, ",%d", i);
        (void) buf_printf(&text, "]");
        is_number(check("{\"uniqueItems\":true}", text.data, NULL), -EINVAL,
                  "fifty thousand elements are too many to compare");
}

static void recursion_that_is_meant(void) {
        const char *schema = "{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}},"
                             "\"additionalProperties\":false}";
        SchemaFault fault;

        is_number(check(schema, "{\"next\":{\"next\":{}}}", NULL), 0, "a list of three");
        is_number(check(schema, "{\"next\":{\"next\":{\"x\":1}}}", &fault), -EINVAL, "a wrong one");
        is_text(fault.path, "/next/next/x", "is found at its depth");
}

static void ecma_patterns(void) {
        is_number(check("{\"pattern\":\"^\\\\d{3}-[\\\\w.]+$\"}", "\"123-a.b\"", NULL), 0,
                  "\\d, \\w in a bracket");
        is_number(check("{\"pattern\":\"^(?:ab|c)$\"}", "\"c\"", NULL), 0, "(?:…)");
        is_number(check("{\"pattern\":\"^[^\\\\s]*$\"}", "\"a b\"", NULL), -EINVAL, "[^\\s]");
        is_number(check("{\"pattern\":\"^([a-z]{1,63}[.]){0,3}[a-z]{2,63}$\"}", "\"a.b.cd\"", NULL),
                  0, "a host name's repetitions");
        is_number(check("{\"pattern\":\"a.c\"}", "\"xxabcxx\"", NULL), 0, "anywhere in the text");
}

/* What schema.h leaves out: groups that use it are not judged. */
static bool is_judged(const cJSON *schema) {
        static const char *const absent[] = { "$id",
                                              "$anchor",
                                              "$dynamicRef",
                                              "$dynamicAnchor",
                                              "$vocabulary",
                                              "contains",
                                              "format",
                                              "dependentSchemas",
                                              "dependentRequired",
                                              "minContains",
                                              "unevaluatedItems",
                                              "unevaluatedProperties",
                                              "contentMediaType" };
        const char *ref = json_text(schema, "$ref");
        const cJSON *item;
        size_t i;

        for (i = 0; i < ELEMENTS(absent); i++)
                if (json_get(schema, absent[i]))
                        return false;
        if (ref && (ref[0] != '#' || strchr(ref, '%') || (ref[1] && ref[1] != '/')))
                return false;
        cJSON_ArrayForEach(item, schema) if (!is_judged(item)) return false;
        return true;
}

/* One group: a schema and its values. Returns how many were judged. */
static unsigned suite_group(const char *file, const cJSON *group) {
        const cJSON *schema = json_get(group, "schema");
        const cJSON *one;
        unsigned n = 0;

        if (!is_judged(schema))
                return 0;
        cJSON_ArrayForEach(one, json_get(group, "tests")) {
                SchemaFault fault = { .path = "" };
                int r = schema_check(schema, json_get(one, "data"), &fault);

                if (r == -ENOTSUP && strstr(fault.text, "a pattern of the schema is not taken"))
                        continue;
                ok(r == (json_true(one, "valid") ? 0 : -EINVAL), "%s: %s: %s %s", file,
                   json_text(group, "description"), json_text(one, "description"),
                   r < 0 ? fault.text : "");
                n++;
        }
        return n;
}

static unsigned suite_file(const char *directory, const char *name) {
        SCOPED(json_free) cJSON *groups = NULL;
        autofree char *text = NULL;
        const cJSON *group;
        unsigned judged = 0;
        Error err = ERROR_EMPTY;
        size_t n;

        if (!ok(shared_read(directory, name, &text, &n) == 0, "read %s", name))
                return 0;
        if (json_parse(text, n, 0, &groups, &err) < 0) {
                printf("# %s is not judged: %s\n", name, err.text);
                return 0;
        }
        cJSON_ArrayForEach(group, groups) judged += suite_group(name, group);
        return judged;
}

static void schema_suite(void) {
        char path[1024];
        DIR *directory =
                opendir(shared_path("json-schema-suite/tests/draft2020-12", path, sizeof(path)));
        struct dirent *entry;
        unsigned n = 0;

        if (!directory) {
                tap_skip("the JSON Schema suite", "no json-schema-suite below WARDER_SHARED_DATA");
                return;
        }
        while ((entry = readdir(directory)))
                if (strstr(entry->d_name, ".json"))
                        n += suite_file(path, entry->d_name);
        (void) closedir(directory);
        ok(n > 500, "%u values of the suite were judged", n);
}

int main(void) {
        faults_are_named();
        ranges_are_given();
        wrong_schemas();
        endless_schemas_end();
        exponential_schema_ends();
        large_unique_list_ends();
        recursion_that_is_meant();
        ecma_patterns();
        schema_suite();
        return tap_end();
}
