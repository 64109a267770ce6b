/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_VFIO_HOST_TREE_H
#define TESTS_UNIT_VFIO_HOST_TREE_H

#include <glib.h>

/*
 * A captured host as a folder: the text of tests/tools/capture-host made real again, to be changed
 * by a test as it likes. Whatever goes wrong in here ends the test.
 */

/** host_tree_create: Returns: (transfer full): path of the folder; @name: "servers", for example.
 */
char *host_tree_create(const char *name);

/** host_tree_destroy: removes it all. */
void host_tree_destroy(char *root);

void host_tree_write(const char *root, const char *path, const char *text);
void host_tree_link(const char *root, const char *path, const char *target);
void host_tree_remove(const char *root, const char *path);

/** host_tree_dump: Returns: (transfer full): every file, link and folder with what is in it,
 * sorted.
 */
char *host_tree_dump(const char *root);

#endif
