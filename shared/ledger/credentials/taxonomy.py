"""The words that the founding article sorts microcredentials by: credential types, assessment methods, sectors with
their focus areas. They are the catalogue's facets; the tags are stable and appear in requests and events.
"""

from typing import Final, Literal

import msgspec

CredentialType = Literal[
    "digital_badge", "nanodegree", "professional_certificate", "mooc_certificate", "bootcamp_certification"
]
AssessmentMethod = Literal["quiz", "peer_review", "project", "portfolio", "final_exam"]
Sector = Literal["technology", "business_and_finance", "healthcare", "education", "creative_fields"]
FocusArea = Literal[
    "cloud_computing",
    "data_analytics",
    "artificial_intelligence",
    "cybersecurity",
    "devops",
    "project_management",
    "digital_marketing",
    "financial_analysis",
    "business_analytics",
    "entrepreneurship",
    "telehealth",
    "health_informatics",
    "patient_care_technology",
    "medical_coding_and_billing",
    "healthcare_management",
    "online_teaching_methodologies",
    "educational_technology_integration",
    "special_education_strategies",
    "curriculum_design",
    "student_assessment_techniques",
    "digital_design_tools",
    "video_production_and_editing",
    "content_marketing",
    "ux_ui_design",
    "social_media_management",
]


class TypeFacts(msgspec.Struct, frozen=True):
    """A credential type: its label, the article's words for it, and the Open Badges achievementType that it becomes."""

    label: str
    meaning: str
    achievement_type: str


class SectorFacts(msgspec.Struct, frozen=True):
    """A sector: its label and its five focus areas with their labels."""

    label: str
    focus_areas: dict[str, str]


CREDENTIAL_TYPES: Final[dict[str | None, TypeFacts]] = {
    "digital_badge": TypeFacts("Digital badge", "visual representation of a skill", "Badge"),
    "nanodegree": TypeFacts("Nanodegree", "focused programme in a technology field", "ext:Nanodegree"),
    "professional_certificate": TypeFacts("Professional certificate", "industry-specific credential", "Certificate"),
    "mooc_certificate": TypeFacts(
        "MOOC certificate", "proof of completing a massive open online course", "CertificateOfCompletion"
    ),
    "bootcamp_certification": TypeFacts("Bootcamp certification", "intensive, skills-based programme", "Certification"),
}
ASSESSMENT_METHODS: Final[dict[str, str]] = {
    "quiz": "Quizzes and multiple-choice tests",
    "peer_review": "Peer-reviewed assignments",
    "project": "Hands-on projects",
    "portfolio": "Portfolio submissions",
    "final_exam": "Final exams",
}
SECTORS: Final[dict[str | None, SectorFacts]] = {
    "technology": SectorFacts(
        "Technology",
        {
            "cloud_computing": "Cloud computing",
            "data_analytics": "Data analytics",
            "artificial_intelligence": "Artificial intelligence",
            "cybersecurity": "Cybersecurity",
            "devops": "DevOps",
        },
    ),
    "business_and_finance": SectorFacts(
        "Business and finance",
        {
            "project_management": "Project management",
            "digital_marketing": "Digital marketing",
            "financial_analysis": "Financial analysis",
            "business_analytics": "Business analytics",
            "entrepreneurship": "Entrepreneurship",
        },
    ),
    "healthcare": SectorFacts(
        "Healthcare",
        {
            "telehealth": "Telehealth",
            "health_informatics": "Health informatics",
            "patient_care_technology": "Patient care technology",
            "medical_coding_and_billing": "Medical coding and billing",
            "healthcare_management": "Healthcare management",
        },
    ),
    "education": SectorFacts(
        "Education",
        {
            "online_teaching_methodologies": "Online teaching methodologies",
            "educational_technology_integration": "Educational technology integration",
            "special_education_strategies": "Special education strategies",
            "curriculum_design": "Curriculum design",
            "student_assessment_techniques": "Student assessment techniques",
        },
    ),
    "creative_fields": SectorFacts(
        "Creative fields",
        {
            "digital_design_tools": "Digital design tools",
            "video_production_and_editing": "Video production and editing",
            "content_marketing": "Content marketing",
            "ux_ui_design": "UX/UI design",
            "social_media_management": "Social media management",
        },
    ),
}


def sector_of(focus_area: str) -> str:
    """The sector that a focus area belongs to. Raises KeyError for an unknown tag."""
    for sector, facts in SECTORS.items():
        if sector is not None and focus_area in facts.focus_areas:
            return sector
    raise KeyError(focus_area)
