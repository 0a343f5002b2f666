/*
 * plain: a reader with one cursor and an evaluator. What the reader does not know is not an error: the
 * expression then goes to libjq whole.
 */
#include "agent/workflow/plain.h"

#include <ctype.h>
#include <string.h>

typedef enum PlainOp {
        PLAIN_NONE,
        PLAIN_EQ,
        PLAIN_NE,
        PLAIN_LE,
        PLAIN_LT,
        PLAIN_GE,
        PLAIN_GT,
        PLAIN_OR,
} PlainOp;

typedef struct PlainTerm {
        cJSON *literal; /* owned; NULL for a path */
        cJSON *path;    /* owned; array of names and indexes */
} PlainTerm;

struct Plain {
        PlainOp op;
        PlainTerm left;
        PlainTerm right; /* unused with PLAIN_NONE */
};

/* Longer spellings stand before their beginnings. */
static const struct {
        const char *text;
        PlainOp op;
} operators[] = {
        { "==", PLAIN_EQ }, { "!=", PLAIN_NE }, { "<=", PLAIN_LE }, { "<", PLAIN_LT },
        { ">=", PLAIN_GE }, { ">", PLAIN_GT },  { "//", PLAIN_OR },
};

Plain *plain_free(Plain *plain) {
        if (plain) {
                json_free(plain->left.literal);
                json_free(plain->left.path);
                json_free(plain->right.literal);
                json_free(plain->right.path);
        }
        free(plain);
        return NULL;
}

static void skip_blanks(const char **at) {
        while (isspace((unsigned char) **at))
                (*at)++;
}

static bool is_name(char c, bool first) {
        return isalpha((unsigned char) c) || c == '_' || (!first && isdigit((unsigned char) c));
}

/* A JSON string at *at; jq's \( ) is not one, so such a text is refused by the JSON reader. */
static int read_string(const char **at, cJSON **ret) {
        const char *end = *at + 1;

        while (*end && *end != '"')
                end += end[0] == '\\' && end[1] ? 2 : 1;
        if (*end != '"' || json_parse(*at, (size_t) (end + 1 - *at), 0, ret, NULL) < 0)
                return PLAIN_E_OTHER;
        *at = end + 1;
        return 0;
}

static int read_number(const char **at, cJSON **ret) {
        size_t n = strspn(*at, "0123456789.");

        if (n == 0 || n > 15 || json_parse(*at, n, 0, ret, NULL) < 0)
                return PLAIN_E_OTHER;
        *at += n;
        return 0;
}

static int read_word(const char **at, cJSON **ret) {
        static const char *const words[] = { "null", "true", "false" };

        for (unsigned i = 0; i < ELEMENTS(words); i++) {
                size_t n = strlen(words[i]);

                if (strncmp(*at, words[i], n) != 0 || is_name((*at)[n], false))
                        continue;
                *ret = i == 0 ? cJSON_CreateNull() : cJSON_CreateBool(i == 1);
                *at += n;
                return *ret ? 0 : -ENOMEM;
        }
        return PLAIN_E_OTHER;
}

/* One ["name"] or [N] after a path. */
static int read_bracket(const char **at, cJSON *path) {
        cJSON *key = NULL;
        int r;

        (*at)++;
        skip_blanks(at);
        r = **at == '"' ? read_string(at, &key) : read_number(at, &key);
        if (r != 0)
                return r;
        if (!json_push_consume(path, key))
                return -ENOMEM;
        if (cJSON_IsNumber(key) && key->valuedouble != key->valueint)
                return PLAIN_E_OTHER;
        skip_blanks(at);
        if (**at != ']')
                return PLAIN_E_OTHER;
        (*at)++;
        return 0;
}

/* One name after a dot. */
static int read_field(const char **at, cJSON *path) {
        size_t n = 0;
        cJSON *key = NULL;

        if (**at == '"') {
                int r = read_string(at, &key);

                if (r != 0)
                        return r;
                return json_push_consume(path, key) ? 0 : -ENOMEM;
        }
        while (is_name((*at)[n], n == 0))
                n++;
        if (n == 0)
                return PLAIN_E_OTHER;
        autofree char *name = strndup(*at, n);

        if (!name || !json_push_text(path, name))
                return -ENOMEM;
        *at += n;
        return 0;
}

static int read_path(const char **at, cJSON *path) {
        bool first = true;

        for (;;) {
                int r = 0;

                if (**at == '[' && !first)
                        r = read_bracket(at, path);
                else if (**at == '.' && (*at)[1] == '[') {
                        (*at)++;
                        r = read_bracket(at, path);
                } else if (**at == '.') {
                        (*at)++;
                        if (first && (**at == '\0' || isspace((unsigned char) **at)))
                                return 0;
                        r = read_field(at, path);
                } else
                        return 0;
                if (r != 0)
                        return r;
                first = false;
        }
}

static int read_term(const char **at, PlainTerm *ret) {
        skip_blanks(at);
        if (**at == '"')
                return read_string(at, &ret->literal);
        if (isdigit((unsigned char) **at))
                return read_number(at, &ret->literal);
        if (**at != '.')
                return read_word(at, &ret->literal);
        ret->path = cJSON_CreateArray();
        return ret->path ? read_path(at, ret->path) : -ENOMEM;
}

static PlainOp read_operator(const char **at) {
        skip_blanks(at);
        for (unsigned i = 0; i < ELEMENTS(operators); i++)
                if (strncmp(*at, operators[i].text, strlen(operators[i].text)) == 0) {
                        *at += strlen(operators[i].text);
                        return operators[i].op;
                }
        return PLAIN_NONE;
}

/* Order is resolved here only against a literal number or string; jq orders the rest. */
static bool is_simple_order(const Plain *plain) {
        const cJSON *literal = plain->left.literal ? plain->left.literal : plain->right.literal;

        return plain->op < PLAIN_LE || plain->op > PLAIN_GT || cJSON_IsNumber(literal) ||
               cJSON_IsString(literal);
}

int plain_parse(const char *text, Plain **ret_plain) {
        SCOPED(plain_free) Plain *plain = calloc(1, sizeof(*plain));
        int r;

        if (!plain)
                return -ENOMEM;
        r = read_term(&text, &plain->left);
        if (r != 0)
                return r;
        plain->op = read_operator(&text);
        if (plain->op != PLAIN_NONE) {
                r = read_term(&text, &plain->right);
                if (r != 0)
                        return r;
        }
        skip_blanks(&text);
        if (*text || !is_simple_order(plain))
                return PLAIN_E_OTHER;
        *ret_plain = TAKE_PTR(plain);
        return 0;
}

static const char *type_name(const cJSON *value) {
        if (!value || cJSON_IsNull(value))
                return "null";
        if (cJSON_IsBool(value))
                return "a boolean";
        if (cJSON_IsNumber(value))
                return "a number";
        if (cJSON_IsString(value))
                return "a string";
        return cJSON_IsArray(value) ? "a list" : "an object";
}

/* NULL stands for null. */
static int term_value(const PlainTerm *term, const cJSON *data, const cJSON **ret, Error *err) {
        const cJSON *value = term->literal ? term->literal : data;
        const cJSON *key;

        cJSON_ArrayForEach(key, term->path) {
                if (!value || cJSON_IsNull(value))
                        value = NULL;
                else if (cJSON_IsString(key) && cJSON_IsObject(value))
                        value = json_get(value, key->valuestring);
                else if (cJSON_IsNumber(key) && cJSON_IsArray(value))
                        value = cJSON_GetArrayItem(value, key->valueint);
                else if (cJSON_IsString(key))
                        return error_say(err, -EINVAL, "\"%s\" is asked of %s", key->valuestring,
                                         type_name(value));
                else
                        return error_say(err, -EINVAL, "element %d is asked of %s", key->valueint,
                                         type_name(value));
        }
        *ret = value;
        return 0;
}

/* jq's order of types: null, false, true, numbers, strings, lists, objects. */
static int type_rank(const cJSON *value) {
        if (!value || cJSON_IsNull(value))
                return 0;
        if (cJSON_IsBool(value))
                return cJSON_IsTrue(value) ? 2 : 1;
        if (cJSON_IsNumber(value))
                return 3;
        if (cJSON_IsString(value))
                return 4;
        return cJSON_IsArray(value) ? 5 : 6;
}

static int compare(const cJSON *left, const cJSON *right) {
        if (type_rank(left) != type_rank(right))
                return type_rank(left) < type_rank(right) ? -1 : 1;
        if (!left || !right) /* one is missing, the other too or null */
                return 0;
        if (cJSON_IsNumber(left) && left->valuedouble != right->valuedouble)
                return left->valuedouble < right->valuedouble ? -1 : 1;
        if (cJSON_IsString(left))
                return strcmp(left->valuestring, right->valuestring);
        return 0;
}

static bool is_equal(const cJSON *left, const cJSON *right) {
        if (type_rank(left) != type_rank(right))
                return false;
        return type_rank(left) <= 4 ? compare(left, right) == 0 : cJSON_Compare(left, right, true);
}

static cJSON *decide(PlainOp op, const cJSON *left, const cJSON *right) {
        bool holds = false;

        if (op == PLAIN_EQ || op == PLAIN_NE)
                holds = is_equal(left, right) == (op == PLAIN_EQ);
        else if (op == PLAIN_LT || op == PLAIN_GE)
                holds = (compare(left, right) < 0) == (op == PLAIN_LT);
        else
                holds = (compare(left, right) > 0) == (op == PLAIN_GT);
        return cJSON_CreateBool(holds);
}

int plain_eval(const Plain *plain, const cJSON *data, cJSON **ret_value, Error *err) {
        const cJSON *left = NULL, *right = NULL;
        cJSON *value;
        int r;

        r = term_value(&plain->left, data, &left, plain->op == PLAIN_OR ? NULL : err);
        if (r < 0 && plain->op != PLAIN_OR)
                return r;
        if (plain->op == PLAIN_NONE || (plain->op == PLAIN_OR && r == 0 && type_rank(left) > 1)) {
                value = left ? cJSON_Duplicate(left, true) : cJSON_CreateNull();
        } else {
                r = term_value(&plain->right, data, &right, err);
                if (r < 0)
                        return r;
                if (plain->op == PLAIN_OR)
                        value = right ? cJSON_Duplicate(right, true) : cJSON_CreateNull();
                else
                        value = decide(plain->op, left, right);
        }
        if (!value)
                return error_set(err, -ENOMEM, "evaluate");
        *ret_value = value;
        return 0;
}

void plain_shape(const Plain *plain, const cJSON **ret_path, const cJSON **ret_equal) {
        bool compares = plain->op == PLAIN_EQ || plain->op == PLAIN_NE;

        *ret_path = NULL;
        *ret_equal = NULL;
        if (plain->op == PLAIN_NONE) {
                *ret_path = plain->left.path;
        } else if (compares && plain->left.path && plain->right.literal) {
                *ret_path = plain->left.path;
                *ret_equal = plain->right.literal;
        } else if (compares && plain->left.literal && plain->right.path) {
                *ret_path = plain->right.path;
                *ret_equal = plain->left.literal;
        }
}
