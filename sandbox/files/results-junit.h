#pragma once
/*
 * results-junit: JUnit's XML, which most runners can write: <testcase classname name>, in it <failure>, <error>,
 * <skipped> or nothing. A name is "classname.name". There is no schema that all writers keep; what is read
 * is what they share. An entity or a document type ends the reading: no writer needs one, and a bomb is made of them.
 */
#include "sandbox/files/results.h"

/**
 * results_junit() - read @fd to its end: one document, or several one after the other
 *
 * Returns: 0, also where the XML is broken: that is reported as a failed test which says where; negative errno.
 */
int results_junit(Results *results, int fd, Error *err);
