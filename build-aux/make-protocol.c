/*
 * make-protocol: what is said of the protocol's methods in supervisor/front/protocol/, checked, as one of
 *
 *   header     a C table for supervisor/front/methods.c, with the text of the OpenRPC document
 *   document   that document, for people and tests
 *   page FILE  warder-rpc(7) in scdoc: FILE with its marks replaced
 *
 *   make-protocol WHAT [--schema NAME=FILE]... SOURCE...
 *
 * Runs at build time, so that a method that is not described whole, or whose example is wrong, is no program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build-aux/protocol-check.h"
#include "build-aux/protocol-document.h"
#include "build-aux/protocol-page.h"
#include "build-aux/protocol-source.h"

/* Bytes of one literal, so that lines can be read; C11's 4095 hold for what adjacent ones make together, too */
#define LITERAL_MAX 4000

/* As one or more C literals, indented */
static void put_literals(const char *text) {
        size_t n = 0;

        (void) fputs("\"", stdout);
        for (; *text; text++) {
                if (++n % LITERAL_MAX == 0)
                        (void) fputs("\"\n\t\"", stdout);
                if (*text == '"' || *text == '\\')
                        (void) fputc('\\', stdout);
                (void) fputc(*text, stdout);
        }
        (void) fputs("\"", stdout);
}

static void put_schema(const Protocol *protocol, const cJSON *schema) {
        SCOPED(json_free) cJSON *bare = protocol_expand(protocol, schema);
        autofree char *text = json_print(bare);

        put_literals(text ? text : "");
}

static void put_header(const Protocol *protocol) {
        SCOPED(json_free) cJSON *document = protocol_document(protocol);
        autofree char *text = json_print(document);
        const cJSON *item;
        uint64_t fds;

        (void) puts("#pragma once\n/* made by build-aux/make-protocol; do not edit */\n");
        (void) puts("#define PROTOCOL_VERSION \"" PROTOCOL_VERSION "\"\n");
        (void) puts("static const struct {\n\tconst char *name;\n\tunsigned n_fds_max;\n"
                    "\tconst char *params; /* JSON Schema text */\n} protocol_methods[] = {");
        cJSON_ArrayForEach(item, protocol->methods) {
                fds = 0;
                (void) json_number(item, "fds", &fds);
                (void) printf("\t{ \"%s\", %llu,\n\t", item->string, (unsigned long long) fds);
                put_schema(protocol, json_get(item, "params"));
                (void) puts(" },");
        }
        (void) puts("};\n");
        (void) fputs("static const char protocol_document[] =\n\t", stdout);
        put_literals(text ? text : "");
        (void) puts(";");
}

static void put_document(const Protocol *protocol) {
        SCOPED(json_free) cJSON *document = protocol_document(protocol);
        autofree char *text = json_print(document);

        (void) puts(text ? text : "");
}

/* NAME=FILE */
static void add_schema(cJSON *schemas, const char *word) {
        const char *equals = strchr(word, '=');
        autofree char *name = equals ? strndup(word, (size_t) (equals - word)) : NULL;

        if (!name)
                protocol_die("--schema takes NAME=FILE");
        json_add_consume(schemas, name, protocol_read_file(equals + 1));
}

int main(int argc, char **argv) {
        SCOPED(json_free) cJSON *schemas = cJSON_CreateObject();
        const char *what = argc > 1 ? argv[1] : "";
        bool is_page = strcmp(what, "page") == 0;
        Protocol protocol;
        FILE *page = NULL;
        int at = 2;

        if (is_page) {
                page = argc > 2 ? fopen(argv[at++], "re") : NULL;
                if (!page)
                        protocol_die("page: %s", strerror(errno));
        }
        for (; at + 1 < argc && strcmp(argv[at], "--schema") == 0; at += 2)
                add_schema(schemas, argv[at + 1]);
        protocol_load(&protocol, argv + at, argc - at, schemas);
        protocol_check(&protocol);
        if (is_page)
                protocol_page(&protocol, page, stdout);
        else if (strcmp(what, "header") == 0)
                put_header(&protocol);
        else if (strcmp(what, "document") == 0)
                put_document(&protocol);
        else
                protocol_die("say header, document or page FILE");
        if (page)
                (void) fclose(page);
        protocol_deinit(&protocol);
        return fflush(stdout) == 0 ? 0 : 1;
}
