// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the files for userspace are: /proc/kstate. Modules cannot make files of kernfs.
 */

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "gate.h"
#include "stock.h"

/* What the functions of a file have to themselves, as kernfs has it for them */
struct proc_open_file {
	const struct kernfs_ops *ops;
	struct kernfs_open_file of;
};

/* Bytes that are read or written at once */
#define CHUNK_MAX	PAGE_SIZE

static struct proc_open_file *proc_this(const struct file *file)
{
	const struct kernfs_ops *ops = pde_data(file_inode(file));

	return ops->seq_show ? ((struct seq_file *)file->private_data)->private :
			       file->private_data;
}

static int proc_open(struct inode *inode, struct file *file)
{
	struct proc_open_file *this = kzalloc_obj(*this);
	int ret = 0;

	if (!this)
		return -ENOMEM;
	this->ops = pde_data(inode);
	this->of.file = file;
	if (this->ops->open)
		ret = this->ops->open(&this->of);
	if (ret) {
		kfree(this);
		return ret;
	}
	if (this->ops->seq_show)
		ret = single_open(file, this->ops->seq_show, this);
	else
		file->private_data = this;
	if (ret) {
		if (this->ops->release)
			this->ops->release(&this->of);
		kfree(this);
	}
	return ret;
}

static int proc_release(struct inode *inode, struct file *file)
{
	struct proc_open_file *this = proc_this(file);

	if (this->ops->release)
		this->ops->release(&this->of);
	if (this->ops->seq_show)
		single_release(inode, file);
	kfree(this);
	return 0;
}

static ssize_t proc_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	struct proc_open_file *this = proc_this(file);
	ssize_t ret;
	char *buf;

	if (this->ops->seq_show)
		return seq_read(file, to, size, at);
	if (!this->ops->read)
		return -EINVAL;
	size = min(size, CHUNK_MAX);
	buf = kmalloc(size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	ret = this->ops->read(&this->of, buf, size, *at);
	if (ret > 0 && copy_to_user(to, buf, ret))
		ret = -EFAULT;
	if (ret > 0)
		*at += ret;
	kfree(buf);
	return ret;
}

static ssize_t proc_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	struct proc_open_file *this = proc_this(file);
	ssize_t ret;
	char *buf;

	if (!this->ops->write)
		return -EINVAL;
	if (!this->ops->atomic_write_len)
		size = min(size, CHUNK_MAX);
	else if (size > this->ops->atomic_write_len)
		return -E2BIG;
	buf = memdup_user_nul(from, size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = this->ops->write(&this->of, buf, size, *at);
	if (ret > 0)
		*at += ret;
	kfree(buf);
	return ret;
}

static const struct proc_ops proc_ops = {
	.proc_open = proc_open,
	.proc_release = proc_release,
	.proc_read = proc_read,
	.proc_write = proc_write,
	.proc_lseek = default_llseek,
};

static int stock_show_jump(struct seq_file *m, void *v)
{
	kstate_stock_show(m);
	return 0;
}

static ssize_t stock_write_jump(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	return kstate_stock_rehearse(strim(buf)) ?: size;
}

/* Writing to it rehearses the jump of that token */
static const struct kernfs_ops jump_ops = {
	.seq_show = stock_show_jump, .write = stock_write_jump,
};

static struct proc_dir_entry *proc_dir;

static bool proc_add(const char *name, umode_t mode, const struct kernfs_ops *ops)
{
	return proc_create_data(name, mode, proc_dir, &proc_ops, (void *)ops);
}

int kstate_directory_init(void)
{
	const struct kstate_file *file = kstate_files;

	proc_dir = proc_mkdir("kstate", NULL);
	if (!proc_dir)
		return -ENOMEM;
	while (file->name && proc_add(file->name, file->mode, file->ops))
		file++;
	if (!file->name && proc_add("jump", 0600, &jump_ops))
		return 0;
	kstate_directory_exit();
	return -ENOMEM;
}

void kstate_directory_exit(void)
{
	/* Waits for those who use the files */
	proc_remove(proc_dir);
	proc_dir = NULL;
}
