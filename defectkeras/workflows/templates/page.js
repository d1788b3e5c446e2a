"use strict";
{
  const find = (id) => document.getElementById(id);
  const drop = find("drop");
  let file = null;

  const say = (text, bad = false) => {
    find("status").textContent = text;
    find("status").classList.toggle("bad", bad);
  };
  const choose = (chosen) => {
    if (!chosen) return;
    file = chosen;
    find("chosen").textContent = `${file.name} (${(file.size / 2 ** 20).toFixed(1)} MiB)`;
    find("start").disabled = false;
  };

  const analyze = async () => {
    const query = new URLSearchParams({ model: find("model").value, file_name: file.name });
    for (const name of ["pixel_size_nm", "foil_thickness_nm", "frame"]) {
      const value = find(name).value.trim().replace(",", ".");
      if (value) query.set(name, value);
    }
    const reply = await fetch(`analyze?${query}`, { method: "POST", body: file });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.error);
    find("report").src = answer.report;
    find("own").href = answer.report;
    find("archive").href = answer.archive;
    find("result").hidden = false;
  };

  if (drop && find("form")) {
    find("file").addEventListener("change", (event) => choose(event.target.files[0]));
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", ["dragenter", "dragover"].includes(kind));
      });
    }
    drop.addEventListener("drop", (event) => choose(event.dataTransfer.files[0]));
    find("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      find("start").disabled = true;
      say(`Analyzing ${file.name} …`);
      try {
        await analyze();
        say(`${file.name}, analyzed with ${find("model").value}.`);
      } catch (error) {
        say(error.message, true);
      } finally {
        find("start").disabled = false;
      }
    });
  }
}
