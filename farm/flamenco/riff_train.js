/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A Flamenco 3 job type that runs a Riff job folder: put this file into the Manager's `scripts` folder.
 *
 * NOT RUN HERE: it is written after Flamenco's manual and checked for syntax alone; Riff's tests run the OpenJD
 * template. Both call the same command, `python -m core job FOLDER --clips 0-3`.
 */

const JOB_TYPE = {
  label: "Riff Training",
  description: "Train a Riff model on each clip of an exported job folder, then write the report",
  settings: [
    { key: "job_folder", type: "string", subtype: "dir_path", required: true,
      description: "Folder with manifest.json, on storage that all workers share" },
    { key: "clips", type: "string", required: true, default: "0",
      description: "Numbers of the clips to train, such as 0-99" },
    { key: "clips_per_task", type: "int32", default: 5, propargs: { min: 1, max: 1000 },
      description: "How many clips one task trains" },
    { key: "device", type: "string", default: "auto", choices: ["auto", "cpu", "cuda", "mps", "xpu"],
      description: "Where to train" },
    { key: "python", type: "string", default: "python3",
      description: "The workers' Python that has PyTorch, NumPy and safetensors" },
  ],
};

function compileJob(job) {
  const report = author.Task("report", "misc");
  report.addCommand(riffCommand(job.settings, ["report", job.settings.job_folder]));
  for (const chunk of frameChunker(job.settings.clips, job.settings.clips_per_task)) {
    const task = author.Task(`train-${chunk}`, "misc");
    task.addCommand(riffCommand(job.settings,
      ["job", job.settings.job_folder, "--clips", chunk, "--device", job.settings.device]));
    report.addDependency(task);
    job.addTask(task);
  }
  job.addTask(report);
}

/* Flamenco's exec has no environment, so that Python itself puts the job's own code on its path. */
function riffCommand(settings, args) {
  const start = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    + "runpy.run_module('core', run_name='__main__', alter_sys=True)";
  return author.Command("exec", {
    exe: settings.python,
    args: ["-c", start, `${settings.job_folder}/code`].concat(args),
  });
}
