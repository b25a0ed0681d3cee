"""German of render farms and libraries of models."""

from __future__ import annotations

FARMING = {
    "Farm": "Renderfarm",
    "Export Training Job": "Lernauftrag ausgeben",
    "Write actions as a job folder that a render farm, or another machine without Blender, trains models from":
        "Aktionen als Auftrag schreiben, aus dem eine Renderfarm oder ein Rechner ohne Blender Modelle lernt",
    "Import Trained Models": "Gelernte Modelle holen",
    "Copy the models that a farm has trained from a job folder into Riff's, each under the name of its action":
        "Was eine Farm gelernt hat, in Riffs Ordner kopieren, jedes Modell unter dem Namen seiner Aktion",
    "Folder": "Ordner",
    "Folder in which the job's folder is made": "Ordner, in dem der Ordner des Auftrags angelegt wird",
    "Folder of the job": "Ordner des Auftrags",
    "Actions": "Aktionen",
    "What the farm learns": "Was die Farm lernt",
    "Active Action": "Aktive Aktion",
    "The action of the active armature": "Die Aktion der aktiven Armatur",
    "Armature's Actions": "Aktionen der Armatur",
    "All actions of the file that are for the active armature": "Alle Aktionen der Datei, die zur Armatur passen",
    "All Actions": "Alle Aktionen",
    "All actions of the file, each with the armature that it is for":
        "Alle Aktionen der Datei, jede mit der Armatur, zu der sie passt",
    "Asset Library": "Asset-Bibliothek",
    "All action assets of an asset library, on the active armature":
        "Alle Aktionen einer Asset-Bibliothek, auf der aktiven Armatur",
    "Names": "Namen",
    "Names or patterns of the actions, such as Walk*, separated by commas":
        "Namen oder Muster der Aktionen wie Walk*, durch Kommas getrennt",
    "Name of the asset library in the preferences": "Name der Asset-Bibliothek in den Einstellungen",
    "How thoroughly each action is learned": "Wie gründlich jede Aktion gelernt wird",
}
