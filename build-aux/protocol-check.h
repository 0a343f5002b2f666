#pragma once
/*
 * protocol-check: what must be true of the methods beyond their form. Each of these ends the build, with a sentence.
 */
#include "build-aux/protocol-source.h"

/** protocol_expand() - @schema without references, and without what says nothing about a value, fresh */
cJSON *protocol_expand(const Protocol *protocol, const cJSON *schema);

/** protocol_charge_text() - what a word of "charge" means, for people; NULL: no such word */
const char *protocol_charge_text(const char *word);

typedef struct ProtocolError {
        const char *word, *text;
} ProtocolError;

/** protocol_errors - the words of data.code, ended by a NULL word; any method may answer with the first two */
extern const ProtocolError protocol_errors[];
#define PROTOCOL_ERRORS_OF_ALL 2

/**
 * protocol_check() - end the program where something is not so:
 *
 * a method has a group, a summary, who may call it, what it is charged to, and an example that fits its schemas; it names words
 * and notifications that there are; it says what it takes where it takes descriptors; every shape is described and used.
 */
void protocol_check(const Protocol *protocol);
